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

/** A channel to the other tabs; null where the browser has none or forbids it. */
export function openChannel(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}

/** The browser's locks; undefined on plain http outside localhost, whatever the types say. */
export function browserLocks(): LockManager | undefined {
  return navigator.locks;
}

/** Runs one at a time among all tabs of this browser; where locks are missing or forbidden, at once. */
export async function withLock<T>(name: string, run: () => Promise<T>): Promise<T> {
  const locks = browserLocks();
  if (!locks) return run();
  const running: Promise<T>[] = [];
  const hold = () => {
    const result = run();
    running.push(result);
    return result;
  };
  try {
    return await locks.request(name, hold);
  } catch {
    return running[0] ?? run(); // either what was run has failed, or the lock was refused
  }
}

/**
 * Tabs by Web Locks and a BroadcastChannel, for one device and user. Null where the browser
 * has none of them (plain http outside localhost): then every tab connects for itself.
 */
export function browserTabs(name: string, id: string): Tabs | null {
  const locks = browserLocks();
  const channel = locks ? openChannel(name) : null;
  if (!locks || !channel) return null;
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
        if (wish.signal.aborted) return;
        if (leading) deposed();
        else void hold(); // locks are forbidden here: every tab leads itself
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
