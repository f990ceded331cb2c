import type { Undo } from "../environment";
import type { Tabs } from "../tabs";

interface Wish {
  readonly tab: FakeTab;
  readonly elected: () => void;
  readonly deposed: () => void;
  over: boolean;
}

/** The tabs of one browser: one lock, one channel. */
export class FakeBrowser {
  private readonly tabs = new Set<FakeTab>();
  private wishes: Wish[] = [];
  private holder: Wish | null = null;

  readonly open = (id: string): FakeTab => {
    const tab = new FakeTab(id, this);
    this.tabs.add(tab);
    return tab;
  };

  /** Messages are cloned and arrive later, as a channel's do; a frozen tab hears them when it wakes. */
  readonly spread = (from: FakeTab, message: unknown): void => {
    const text = JSON.stringify(message);
    for (const tab of this.tabs) {
      if (tab !== from) queueMicrotask(() => tab.hear(JSON.parse(text)));
    }
  };

  readonly wish = (tab: FakeTab, steal: boolean, elected: () => void, deposed: () => void): Undo => {
    const wish: Wish = { tab, elected, deposed, over: false };
    if (steal) {
      const robbed = this.holder;
      this.holder = wish;
      if (robbed) robbed.tab.whenAwake(() => !robbed.over && robbed.deposed());
      queueMicrotask(() => !wish.over && elected());
    } else {
      this.wishes.push(wish);
      this.elect();
    }
    return () => {
      wish.over = true;
      this.wishes = this.wishes.filter((other) => other !== wish);
      if (this.holder === wish) this.holder = null;
      this.elect();
    };
  };

  /** The tab is closed without a word: its lock is free, its messages are not heard any more. */
  readonly crash = (tab: FakeTab): void => {
    this.tabs.delete(tab);
    tab.frozen = true;
    this.wishes = this.wishes.filter((wish) => wish.tab !== tab);
    if (this.holder?.tab === tab) this.holder = null;
    this.elect();
  };

  private elect(): void {
    if (this.holder) return;
    const next = this.wishes.shift();
    if (!next) return;
    this.holder = next;
    queueMicrotask(() => !next.over && next.elected());
  }
}

/** One tab of a FakeBrowser. */
export class FakeTab implements Tabs {
  frozen = false;
  /** What it says is lost, as in the moment before a crash. */
  mute = false;
  private readonly listeners = new Set<(message: unknown) => void>();
  private asleep: (() => void)[] = [];

  constructor(
    readonly id: string,
    private readonly browser: FakeBrowser,
  ) {}

  readonly lead: Tabs["lead"] = (steal, elected, deposed) => this.browser.wish(this, steal, elected, deposed);
  readonly post: Tabs["post"] = (message) => {
    if (!this.frozen && !this.mute) this.browser.spread(this, message);
  };
  readonly onMessage: Tabs["onMessage"] = (listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly hear = (message: unknown): void =>
    this.whenAwake(() => {
      for (const listener of [...this.listeners]) listener(message);
    });

  readonly whenAwake = (run: () => void): void => {
    if (this.frozen) this.asleep.push(run);
    else run();
  };

  readonly wake = (): void => {
    this.frozen = false;
    for (const run of this.asleep.splice(0)) run();
  };
}
