import { cookiesWork, notes } from "@/sync/browser-storage";
import { browserEnvironment, type Undo } from "@/sync/environment";
import { browserLocks, openChannel, withLock } from "@/sync/tabs";

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
  /** The network came or went, or the page is used again. */
  readonly onWake: (listener: () => void) => Undo;
  /** Whether the browser keeps cookies of this site. */
  readonly keepsCookies: () => boolean;
  /** Small notes that are no secret, and outlive the page unless storage is blocked. */
  readonly recall: (key: string) => string | null;
  readonly remember: (key: string, value: string | null) => void;
  /** Whether `recall` can be believed. */
  readonly canRemember: () => boolean;
}

const lockName = "social-refresh";
const channelName = "social-auth";

/** The browser's own network, locks, channel and storage. Made on first use, so that pages can be prerendered. */
export function browserAuthEnvironment(): AuthEnvironment {
  // Without cookies a log-in is of one page, and tabs have none in common.
  const channel = cookiesWork() ? openChannel(channelName) : null;
  return {
    send: (path, init) => fetch(path, init),
    now: browserEnvironment.now,
    after: browserEnvironment.after,
    alone: (run) => withLock(lockName, run),
    canBeAlone: () => browserLocks() !== undefined,
    tell: (message) => channel?.postMessage(message),
    onTold: (listener) => {
      const hear = (event: MessageEvent<unknown>) => listener(event.data);
      channel?.addEventListener("message", hear);
      return () => channel?.removeEventListener("message", hear);
    },
    onWake: browserEnvironment.onWake,
    keepsCookies: cookiesWork,
    recall: notes.read,
    remember: notes.write,
    canRemember: notes.areKept,
  };
}
