import type { Undo } from "@/sync/environment";

/** What the log-in needs from the browser; a test gives its own. */
export interface AuthEnvironment {
  readonly send: (path: string, init: RequestInit) => Promise<Response>;
  readonly now: () => number;
  readonly after: (ms: number, run: () => void) => Undo;
  /** Runs one at a time among all tabs of this browser, where the browser can do that. */
  readonly alone: <T>(run: () => Promise<T>) => Promise<T>;
  /** Whether `alone` keeps its promise: not on plain http outside localhost. */
  readonly canBeAlone: () => boolean;
  /** Tells the other tabs. */
  readonly tell: (message: unknown) => void;
  readonly onTold: (listener: (message: unknown) => void) => Undo;
  readonly onOnline: (listener: () => void) => Undo;
  /** Small notes that outlive the page and are no secret; null where storage is blocked. */
  readonly recall: (key: string) => string | null;
  readonly remember: (key: string, value: string | null) => void;
  /** Whether `recall` can be believed. */
  readonly canRemember: () => boolean;
}

const lockName = "social-refresh";
const channelName = "social-auth";

/** The browser's own network, locks, channel and storage. Made on first use, so that pages can be prerendered. */
export function browserAuthEnvironment(): AuthEnvironment {
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(channelName);
  // Missing on plain http, whatever the types say.
  const locks: LockManager | undefined = navigator.locks;
  return {
    send: (path, init) => fetch(path, init),
    now: () => Date.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    alone: async (run) => (locks ? await locks.request(lockName, run) : await run()),
    canBeAlone: () => locks !== undefined,
    tell: (message) => channel?.postMessage(message),
    onTold: (listener) => {
      const hear = (event: MessageEvent<unknown>) => listener(event.data);
      channel?.addEventListener("message", hear);
      return () => channel?.removeEventListener("message", hear);
    },
    onOnline: (listener) => {
      window.addEventListener("online", listener);
      return () => window.removeEventListener("online", listener);
    },
    recall: (key) => withStorage((storage) => storage.getItem(key)) ?? null,
    remember: (key, value) => {
      withStorage((storage) => (value === null ? storage.removeItem(key) : storage.setItem(key, value)));
    },
    canRemember: () => withStorage(() => true) ?? false,
  };
}

function withStorage<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined; // blocked: then nothing is remembered
  }
}
