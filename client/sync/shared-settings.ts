import type { Environment, Undo } from "./environment";
import { keepSame, withCommands } from "./mirror";
import type { LiveSettings } from "./settings-client";
import { type Command, parseTabMessage, type TabMessage } from "./tab-messages";
import type { Tabs } from "./tabs";
import type { ChangeHow, FieldName, Json, PreviewHow, SettingsClient, SettingsSnapshot } from "./types";

export interface SharedSettingsOptions {
  readonly tabs: Tabs;
  readonly env: Environment;
  /** Makes the client that connects; started only in the tab that leads. */
  readonly makeLive: () => LiveSettings;
  /** Receives one message about a leader whose state could not be read; for the console. */
  readonly report?: (message: string) => void;
}

interface Numbered {
  readonly number: number;
  readonly command: Command;
}

/** A leader that a tab someone looks at waits for longer than this is asleep. */
const silentMs = 2000;

/**
 * The settings in one of several tabs. One tab leads: it alone connects and writes to
 * storage. The others show its snapshot and hand it what the person does, and keep that
 * until the leader has written it down, so that no hand-over can lose it.
 */
export class SharedSettings implements SettingsClient {
  private live: LiveSettings;
  private role: "following" | "taking-over" | "leading" = "following";
  private leader: string | null = null;
  private mirror: SettingsSnapshot;
  private shown: SettingsSnapshot;
  /** Done here, and not yet known to be kept by the leader. */
  private commands: readonly Numbered[] = [];
  private number = 0;
  /** Fields typed in here that may not have come to rest. */
  private readonly typed = new Set<FieldName>();
  /** A leader was not understood, and one attempt was made to take its place. */
  private misled = false;
  /** As leader: the last command of each tab that was taken, and that is kept. */
  private readonly taken = new Map<string, number>();
  private readonly done = new Map<string, number>();
  private keeping: Promise<void> = Promise.resolve();
  private silence: Undo | null = null;
  private giveUp: Undo = () => {};
  private forgetLive: Undo = () => {};
  private readonly undos: Undo[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(private readonly options: SharedSettingsOptions) {
    this.live = options.makeLive();
    this.mirror = this.live.getSnapshot();
    this.shown = this.mirror;
  }

  readonly start = (): void => {
    const { tabs, env } = this.options;
    this.undos.push(tabs.onMessage(this.hear), env.onWake(this.look));
    this.giveUp = tabs.lead(false, this.elected, this.deposed);
    this.look();
  };

  readonly subscribe = (listener: () => void): Undo => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): SettingsSnapshot => this.shown;
  readonly change = (field: FieldName, value: Json, how?: ChangeHow): void => {
    const base = this.mirror.fields[field]?.stored?.revision ?? 0;
    const typing = how?.typing ?? false;
    if (typing) this.typed.add(field);
    const id = this.options.env.newId();
    this.run({ do: "change", field, value, id, base, ...(typing && { typing }) });
  };
  readonly compose = (field: FieldName): void => {
    if (this.typed.has(field)) this.run({ do: "compose", field });
  };
  readonly settle = (field: FieldName): void => {
    if (this.typed.delete(field)) this.run({ do: "settle", field });
  };

  readonly preview = (field: FieldName, value: Json, { save }: PreviewHow = { save: true }): void =>
    this.run({ do: "preview", field, value, save });
  readonly reset = (field: FieldName): void => this.change(field, null);
  readonly focus = (field: FieldName | null): void => this.run({ do: "focus", field });
  readonly resolve = (field: FieldName, pick: "mine" | "theirs"): void =>
    this.run({ do: "resolve", field, pick });
  readonly confirm = (send: boolean): void => this.run({ do: "confirm", send });
  readonly reconnect = (): void => this.run({ do: "reconnect" });

  readonly stop = (): void => {
    for (const undo of this.undos.splice(0)) undo();
    this.silence?.();
    this.forgetLive();
    this.role = "following";
    this.live.stop();
    // The next leader reads what this one kept, so it must all be there first.
    void this.live.written().then(this.giveUp);
  };

  private readonly isLeading = (): boolean => this.role === "leading";

  private run(command: Command): void {
    if (this.isLeading()) {
      obey(this.live, command);
      return;
    }
    this.commands = [...this.commands, { number: ++this.number, command }];
    this.hand({ number: this.number, command });
    this.expectLeader();
    this.publish();
  }

  private hand({ number, command }: Numbered): void {
    this.post({ type: "command", tab: this.options.tabs.id, number, command });
  }

  private readonly elected = (): void => {
    this.role = "taking-over";
    this.silence?.();
    this.silence = null;
    void this.takeOver();
  };

  private async takeOver(): Promise<void> {
    const { live } = this;
    await live.start();
    if (live !== this.live || this.role !== "taking-over") return;
    this.role = "leading";
    for (const { command } of this.commands) obey(live, command);
    this.commands = [];
    this.forgetLive = live.subscribe(() => this.tell());
    this.tell();
  }

  /** Another tab thought this one asleep. It has what this one kept; this one follows. */
  private readonly deposed = (): void => {
    this.forgetLive();
    this.live.stop();
    this.role = "following";
    this.mirror = this.shown;
    this.live = this.options.makeLive();
    this.giveUp = this.options.tabs.lead(false, this.elected, this.deposed);
    this.post({ type: "ask" });
  };

  private readonly hear = (raw: unknown): void => {
    const message = parseTabMessage(raw);
    if (message === "unreadable") {
      this.misread();
      return;
    }
    switch (message?.type) {
      case undefined:
        return;
      case "ask":
        if (this.isLeading()) this.tell();
        return;
      case "command":
        if (this.isLeading()) this.take(message.tab, message);
        return;
      case "shown":
        if (this.isLeading()) this.live.shownElsewhere(message.revision);
        return;
      case "state":
        if (!this.isLeading()) this.follow(message);
        return;
    }
  };

  /**
   * The leader is of another version. One that is not understood is as good as none: this tab
   * takes the lead, once. If it is taken back, the two would rob each other for ever.
   */
  private misread(): void {
    if (this.role !== "following") return;
    this.mirror = keepSame(this.mirror, { ...this.mirror, status: { state: "unreadable" } });
    this.publish();
    if (this.misled) return;
    this.misled = true;
    this.options.report?.("The tab that holds the connection could not be understood.");
    this.expectLeader();
  }

  private take(tab: string, { number, command }: Numbered): void {
    if (number <= (this.taken.get(tab) ?? 0)) return;
    this.taken.set(tab, number);
    obey(this.live, command);
    const { live } = this;
    this.keeping = this.keeping.then(live.written).then(() => {
      this.done.set(tab, number);
      if (this.isLeading()) this.tell();
    });
  }

  private follow({ leader, snapshot, done }: Extract<TabMessage, { type: "state" }>): void {
    const { id } = this.options.tabs;
    this.silence?.();
    this.silence = null;
    const kept = done[id] ?? 0;
    this.commands = this.commands.filter(({ number }) => number > kept);
    // A new leader knows only what the old one had kept.
    if (leader !== this.leader) for (const command of this.commands) this.hand(command);
    this.leader = leader;
    if (this.commands.length > 0) this.expectLeader();
    const { revision } = this.mirror;
    this.mirror = keepSame(this.mirror, snapshot);
    if (this.mirror.revision !== revision) this.tellShown();
    this.publish();
  }

  /** The person looks at this tab: a leader asleep is not waited for. */
  private readonly look = (): void => {
    if (this.isLeading() || !this.options.env.visible()) return;
    this.tellShown();
    this.post({ type: "ask" });
    this.expectLeader();
  };

  /** What someone looks at is seen, whichever tab shows it (SPEC S6). */
  private tellShown(): void {
    if (this.options.env.visible()) this.post({ type: "shown", revision: this.mirror.revision });
  }

  private expectLeader(): void {
    const { env, tabs } = this.options;
    if (this.role !== "following") return;
    this.silence ??= env.after(silentMs, () => {
      this.silence = null;
      if (!env.visible()) return;
      this.giveUp();
      this.giveUp = tabs.lead(true, this.elected, this.deposed);
    });
  }

  /** As leader: shows the live snapshot here and in the other tabs. */
  private tell(): void {
    const snapshot = this.live.getSnapshot();
    this.mirror = snapshot;
    this.publish();
    const { id } = this.options.tabs;
    this.post({ type: "state", leader: id, snapshot, done: Object.fromEntries(this.done) });
  }

  private post(message: TabMessage): void {
    this.options.tabs.post(message);
  }

  private publish(): void {
    const commands = this.commands.map(({ command }) => command);
    const next = this.isLeading() ? this.mirror : keepSame(this.shown, withCommands(this.mirror, commands));
    if (next === this.shown) return;
    this.shown = next;
    for (const listener of [...this.listeners]) listener();
  }
}

function obey(live: LiveSettings, command: Command): void {
  switch (command.do) {
    case "change":
      live.edit(
        command.field,
        { id: command.id, value: command.value, base: command.base },
        { typing: command.typing ?? false },
      );
      break;
    case "compose":
      live.compose(command.field);
      break;
    case "settle":
      live.settle(command.field);
      break;
    case "preview":
      live.preview(command.field, command.value, { save: command.save });
      break;
    case "focus":
      live.focus(command.field);
      break;
    case "resolve":
      live.resolve(command.field, command.pick);
      break;
    case "confirm":
      live.confirm(command.send);
      break;
    case "reconnect":
      live.reconnect();
      break;
  }
}
