import type { Status } from "./types";
import { useSettingsClient } from "./use-client";
import { useSnapshot } from "./use-settings";

/** Where the connection stands, how many edits wait for it, and "try now". */
export interface ConnectionView {
  readonly status: Status;
  readonly waiting: number;
  readonly reconnect: () => void;
}

/** For the badge: `const { status, waiting } = useConnection()`. */
export function useConnection(): ConnectionView {
  const { reconnect } = useSettingsClient();
  const status = useSnapshot((snapshot) => snapshot.status);
  const waiting = useSnapshot((snapshot) => snapshot.waiting);
  return { status, waiting, reconnect };
}
