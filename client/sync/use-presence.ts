import type { Device, DevicePresence, Receipts } from "./types";
import { useSnapshot } from "./use-settings";

/** Who is here. */
export interface PresenceView {
  readonly devices: readonly DevicePresence[];
  readonly receipts: Receipts | null;
  readonly asking: readonly Device[];
}

/** For the list of devices: who is online, who has seen the last change, who asks to join. */
export function usePresence(): PresenceView {
  const devices = useSnapshot((snapshot) => snapshot.devices);
  const receipts = useSnapshot((snapshot) => snapshot.receipts);
  const asking = useSnapshot((snapshot) => snapshot.asking);
  return { devices, receipts, asking };
}
