import { notes } from "@/sync/browser-storage";

/** Ids of devices that the person at this browser has seen and waved through. */
const storageKey = "social-known-devices";
const most = 100;

/** Those waved through so far. */
export function readKnown(): ReadonlySet<string> {
  return new Set((notes.read(storageKey) ?? "").split(" ").filter(Boolean));
}

/** Notes some more; the oldest are forgotten, as they are no news any more. */
export function remember(ids: readonly string[]): void {
  const all = [...new Set([...readKnown(), ...ids])].slice(-most);
  notes.write(storageKey, all.join(" "));
}
