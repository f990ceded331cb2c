import type { OwnDevice } from "./account-shapes";

const news = 24 * 60 * 60 * 1000;

/**
 * The devices a person should look at once: made within a day, after this one, and
 * not waved through yet; and those that logged in from elsewhere. Newest first.
 */
export function newDevices(
  devices: readonly OwnDevice[],
  dismissed: ReadonlySet<string>,
  elsewhere: ReadonlySet<string>,
  now: number,
): OwnDevice[] {
  const self = devices.find(({ current }) => current);
  if (!self) return [];
  const since = Math.max(Date.parse(self.createdAt), now - news);
  return devices
    .filter(({ id, current, createdAt }) => {
      if (current) return false;
      return elsewhere.has(id) || (!dismissed.has(id) && Date.parse(createdAt) > since);
    })
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}
