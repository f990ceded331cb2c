import { createStore, del, get, keys, set } from "idb-keyval";
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
      set: (key, value) => set(key, value, store),
      remove: (key) => del(key, store),
      keys: async () => (await keys(store)).filter((key) => typeof key === "string"),
    };
  } catch {
    return memory;
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
