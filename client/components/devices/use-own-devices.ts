"use client";

import { useSyncExternalStore } from "react";
import { accountApi } from "@/lib/browser-api";
import { OwnDevices, type OwnDevicesView } from "@/lib/own-devices";

/** One list for everything on the page that shows it. */
export const ownDevices = new OwnDevices(accountApi.devices);

const unknown: OwnDevicesView = { devices: null, problem: null, elsewhere: new Set() };

/** The account's devices, read again every now and then while somebody looks. */
export function useOwnDevices(): OwnDevicesView {
  return useSyncExternalStore(ownDevices.subscribe, ownDevices.getSnapshot, () => unknown);
}
