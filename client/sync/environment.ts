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
  /** The network came or went, or the page is used again after it was hidden, frozen or kept aside. */
  readonly onWake: (listener: () => void) => Undo;
  /** When this page last came onto another network, in ms since the epoch; 0 while it has not. */
  readonly networkChangedAt: () => number;
  /** Whether a person can see the page: what is not looked at is not `seen` (SPEC S6). */
  readonly visible: () => boolean;
}

let networkChangedAt = 0;

/** Notes when the network changes, for as long as the page lives. */
function watchNetwork(): void {
  const note = () => {
    networkChangedAt = Date.now();
  };
  window.addEventListener("online", note);
  // Not everywhere, and not in the types. It fires for every new estimate of the speed too.
  const { connection } = navigator as { connection?: EventTarget & { type?: string } };
  let type = connection?.type;
  connection?.addEventListener("change", () => {
    if (connection.type !== type) note();
    type = connection.type;
  });
}

if (typeof window !== "undefined") watchNetwork(); // pages are built where there is none

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
    const listening = new AbortController();
    const on = (target: EventTarget, types: readonly string[], run: () => void) => {
      for (const type of types) target.addEventListener(type, run, listening);
    };
    // After "offline" a link may be dead without an event. Its own timeout would take 45 s.
    on(window, ["online", "offline"], listener);
    // iOS sends "pageshow" alone for a page it had kept aside; "resume" ends a freeze.
    on(window, ["pageshow", "focus"], seen);
    on(document, ["visibilitychange", "resume"], seen);
    return () => listening.abort();
  },
  networkChangedAt: () => networkChangedAt,
  visible: () => document.visibilityState === "visible",
};
