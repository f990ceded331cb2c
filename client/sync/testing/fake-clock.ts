import type { Environment, Undo } from "../environment";

/** Lets every promise that can settle do so; no time passes. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) await Promise.resolve();
}

/** Numbers from 0 up to 1 that only depend on `seed` (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until told: timers run in order, promises settle between them. */
export class FakeClock {
  private time: number;
  private readonly timers = new Set<Timer>();

  constructor(start = Date.parse("2026-11-23T09:00:00Z")) {
    this.time = start;
  }

  readonly now = (): number => this.time;

  readonly after = (ms: number, run: () => void): Undo => {
    const timer = { at: this.time + Math.max(0, ms), run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  };

  readonly advance = async (ms: number): Promise<void> => {
    const end = this.time + ms;
    await settle();
    for (let next = this.soonest(end); next; next = this.soonest(end)) {
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
      await settle();
    }
    this.time = end;
  };

  /** The machine sleeps: time passes and no timer runs; those that are due run once it wakes. */
  readonly sleep = async (ms: number): Promise<void> => {
    this.time += ms;
    await this.advance(0);
  };

  /** How many timers wait: 0 after everything that started one has stopped. */
  readonly waiting = (): number => this.timers.size;

  private soonest(end: number): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.timers) if (timer.at <= end && (!found || timer.at < found.at)) found = timer;
    return found;
  }
}

/** The world around one client, held still. */
export class FakeEnvironment implements Environment {
  readonly now: Environment["now"];
  readonly after: Environment["after"];
  random: () => number;
  isVisible = true;
  private networkAt = 0;
  private ids = 0;
  private readonly wakers = new Set<() => void>();

  constructor(
    readonly clock: FakeClock = new FakeClock(),
    random: () => number = () => 0.5,
    private readonly idPrefix = "p",
  ) {
    this.now = clock.now;
    this.after = clock.after;
    this.random = random;
  }

  readonly newId = (): string => `${this.idPrefix}${++this.ids}`;
  readonly visible = (): boolean => this.isVisible;
  readonly onWake = (listener: () => void): Undo => {
    this.wakers.add(listener);
    return () => this.wakers.delete(listener);
  };

  /** The network is back, or the window is looked at again. */
  readonly wake = (): void => {
    for (const listener of [...this.wakers]) listener();
  };

  readonly networkChangedAt = (): number => this.networkAt;

  /** The machine comes onto another network. */
  readonly changeNetwork = (): void => {
    this.networkAt = this.now();
    this.wake();
  };

  readonly listeners = (): number => this.wakers.size;
}
