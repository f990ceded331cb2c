/** Ids of devices that the person at this browser has seen and waved through. */
const storageKey = "social-known-devices";
const most = 100;

/** Those waved through so far; none where storage is blocked. */
export function readKnown(): ReadonlySet<string> {
  try {
    return new Set((localStorage.getItem(storageKey) ?? "").split(" ").filter(Boolean));
  } catch {
    return new Set();
  }
}

/** Notes some more; the oldest are forgotten, as they are no news any more. */
export function remember(ids: readonly string[]): void {
  const all = [...new Set([...readKnown(), ...ids])].slice(-most);
  try {
    localStorage.setItem(storageKey, all.join(" "));
  } catch {
    // Asked about again on the next page.
  }
}
