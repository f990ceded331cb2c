import { createStore, del, get, keys, promisifyRequest, type UseStore } from "idb-keyval";
import type { Storage } from "./kept";

/** Keeps things as long as the page lives: for private windows that have no IndexedDB. */
export function memoryStorage(): Storage {
  const kept = new Map<string, unknown>();
  return {
    get: async (key) => kept.get(key),
    set: async (key, value) => void kept.set(key, value),
    remove: async (key) => void kept.delete(key),
    keys: async () => [...kept.keys()],
  };
}

const openMs = 2000;

/**
 * IndexedDB, or memory where it is missing, forbidden or does not answer: an edit
 * must never wait for a place to be kept. `giveUp` resolves when waiting is over.
 */
export function browserStorage(giveUp: () => Promise<void> = () => after(openMs)): Storage {
  const memory = memoryStorage();
  const chosen = choose(memory, giveUp);
  return {
    get: async (key) => (await chosen).get(key),
    set: async (key, value) => (await chosen).set(key, value),
    remove: async (key) => (await chosen).remove(key),
    keys: async () => (await chosen).keys(),
  };
}

async function choose(memory: Storage, giveUp: () => Promise<void>): Promise<Storage> {
  try {
    const store = createStore("settings-sync", "kept");
    const opened = get("opens", store).then(() => true);
    // The loser of the race may still fail: that is no news then.
    opened.catch(() => {});
    const usable = await Promise.race([opened, giveUp().then(() => false)]);
    if (!usable) return memory;
    return {
      get: (key) => get(key, store),
      set: (key, value) => put(key, value, store),
      remove: (key) => del(key, store),
      keys: async () => (await keys(store)).filter((key) => typeof key === "string"),
    };
  } catch {
    return memory;
  }
}

/** Writes one value. A transaction that is committed ends well even if its page is closed meanwhile. */
function put(key: string, value: unknown, store: UseStore): Promise<void> {
  return store("readwrite", (values) => {
    values.put(value, key);
    values.transaction.commit();
    return promisifyRequest(values.transaction);
  });
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const unkept = new Map<string, string | null>();

/** Small texts that outlive the page and are no secret; where storage is blocked or full, they live as long as the page. */
export const notes = {
  read: (key: string): string | null => {
    const here = unkept.get(key);
    if (here !== undefined) return here;
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  /** Null removes the text. */
  write: (key: string, text: string | null): void => {
    try {
      if (text === null) localStorage.removeItem(key);
      else localStorage.setItem(key, text);
      unkept.delete(key);
    } catch {
      unkept.set(key, text);
    }
  },
  /** Whether they outlive the page. */
  areKept: (): boolean => {
    try {
      return localStorage.length >= 0;
    } catch {
      return false;
    }
  },
};

/** Whether the browser keeps cookies of this site. `navigator.cookieEnabled` says yes where they are blocked. */
export function cookiesWork(): boolean {
  try {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing on plain http
    document.cookie = "social-probe=1; Path=/; SameSite=Strict";
    const kept = document.cookie.includes("social-probe=1");
    // biome-ignore lint/suspicious/noDocumentCookie: as above
    document.cookie = "social-probe=; Path=/; SameSite=Strict; Max-Age=0";
    return kept;
  } catch {
    return false;
  }
}
