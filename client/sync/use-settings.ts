import { useSyncExternalStore } from "react";
import type { SettingsClient, SettingsSnapshot } from "./types";
import { useSettingsClient } from "./use-client";

/**
 * The whole snapshot and the client's methods. Draws anew at every change of anything;
 * a field or a badge is better served by `useField` or `useConnection`.
 */
export function useSettings(): { readonly snapshot: SettingsSnapshot; readonly client: SettingsClient } {
  const client = useSettingsClient();
  const snapshot = useSyncExternalStore(client.subscribe, client.getSnapshot, client.getSnapshot);
  return { snapshot, client };
}

/** One part of the snapshot. `select` must return an object that is kept until it changes, or a primitive. */
export function useSnapshot<T>(select: (snapshot: SettingsSnapshot) => T): T {
  const client = useSettingsClient();
  const get = () => select(client.getSnapshot());
  return useSyncExternalStore(client.subscribe, get, get);
}
