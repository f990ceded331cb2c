import type { OwnDevice } from "./account-shapes";

const news = 24 * 60 * 60 * 1000;

/**
 * The devices a person should look at once: made within a day, after this one,
 * and not waved through yet. Newest first.
 */
export function newDevices(
  devices: readonly OwnDevice[],
  dismissed: ReadonlySet<string>,
  now: number,
): OwnDevice[] {
  const self = devices.find(({ current }) => current);
  if (!self) return [];
  const since = Math.max(Date.parse(self.createdAt), now - news);
  return devices
    .filter(({ id, current, createdAt }) => !current && !dismissed.has(id) && Date.parse(createdAt) > since)
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}
