/** Takes back what was asked for: a timer, a listener. Calling it twice does nothing. */
export type Undo = () => void;

/** Time, chance and the window: everything the core takes from outside, so that tests can hold it still. */
export interface Environment {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls `run` once after `ms`. */
  readonly after: (ms: number, run: () => void) => Undo;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** A new patch id, never to be made again by anyone (SPEC V6). */
  readonly newId: () => string;
  /** The network came or went, or the window is looked at again. */
  readonly onWake: (listener: () => void) => Undo;
  /** Whether a person can see the page: what is not looked at is not `seen` (SPEC S6). */
  readonly visible: () => boolean;
}

/** The browser's own clock, chance and window. */
export const browserEnvironment: Environment = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  // Not randomUUID: it is missing on plain http outside localhost, where people self-host.
  newId: () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    ),
  onWake: (listener) => {
    const seen = () => {
      if (document.visibilityState === "visible") listener();
    };
    window.addEventListener("online", listener);
    // A link may be dead from here on, and not say so: its own silence would tell after 45 s.
    window.addEventListener("offline", listener);
    document.addEventListener("visibilitychange", seen);
    return () => {
      window.removeEventListener("online", listener);
      window.removeEventListener("offline", listener);
      document.removeEventListener("visibilitychange", seen);
    };
  },
  visible: () => document.visibilityState === "visible",
};
