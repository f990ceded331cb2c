import type { Undo } from "./environment";

/** What the tabs of one browser need to act as one: one of them leads, and all hear each other. */
export interface Tabs {
  /** This tab's name among them. */
  readonly id: string;
  /**
   * Wants to lead. `elected` is called when no other does (at once with `steal`, which takes
   * the lead from a tab that does not answer); `deposed` when it was taken away again.
   * The undo gives the lead, or the wish for it, up.
   */
  readonly lead: (steal: boolean, elected: () => void, deposed: () => void) => Undo;
  readonly post: (message: unknown) => void;
  readonly onMessage: (listener: (message: unknown) => void) => Undo;
}

/**
 * Tabs by Web Locks and a BroadcastChannel, for one device and user. Null where the browser
 * has none of them (plain http outside localhost): then every tab connects for itself.
 */
export function browserTabs(name: string, id: string): Tabs | null {
  // Missing on plain http, whatever the types say.
  const locks: LockManager | undefined = navigator.locks;
  if (!locks || typeof BroadcastChannel === "undefined") return null;
  const channel = new BroadcastChannel(name);
  let closed = false;
  return {
    id,
    lead: (steal, elected, deposed) => {
      const wish = new AbortController();
      let leading = false;
      let release: () => void = () => {};
      const hold = () => {
        leading = true;
        if (wish.signal.aborted) return Promise.resolve();
        elected();
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      };
      // A signal and `steal` exclude each other; a stolen lock is there at once anyway.
      const options = steal ? { steal } : { signal: wish.signal };
      locks.request(name, options, hold).catch(() => {
        if (leading && !wish.signal.aborted) deposed();
      });
      return () => {
        wish.abort();
        release();
      };
    },
    post: (message) => {
      if (!closed) channel.postMessage(message);
    },
    onMessage: (listener) => {
      const hear = (event: MessageEvent<unknown>) => listener(event.data);
      channel.addEventListener("message", hear);
      return () => {
        channel.removeEventListener("message", hear);
        closed = true;
        channel.close();
      };
    },
  };
}
