import type { DevicePresence, FieldView, SettingsSnapshot } from "@/sync/types";

type Shown = Pick<SettingsSnapshot, "status" | "receipts" | "devices" | "fields" | "waiting">;

/**
 * The line under the forms: how far the last saved change has come. For example
 * "Saved · on 2 of 3 devices · Phone gets it when it wakes". It claims nothing
 * that was not acknowledged by the server or shown by the device named.
 */
export function receiptText({ status, receipts, devices, fields, waiting }: Shown): string {
  const views = Object.values(fields);
  if (views.some((view) => view?.conflict)) return "Two devices disagree: choose above";
  if (views.some((view) => view?.saving === "refused")) return "One change was not accepted: see above";
  if (views.some(isSending)) return "Saving…";
  if (waiting > 0) return `${changes(waiting)} kept on this device until it is connected`;
  if (status.state === "offline")
    return "You can go on editing: changes are kept on this device and sent later";
  if (!receipts) return "Each change is saved as you make it";

  const behind = devices.filter((device) => !device.self && device.seen < receipts.revision);
  const asleep = behind.filter((device) => !device.online).map((device) => device.name);
  const parts = ["Saved"];
  if (devices.length > 1) {
    parts.push(
      behind.length === 0
        ? `on all ${devices.length} devices`
        : `on ${devices.length - behind.length} of ${devices.length} devices`,
    );
  }
  if (asleep.length > 0)
    parts.push(
      `${listed(asleep)} ${asleep.length === 1 ? "gets it when it wakes" : "get it when they wake"}`,
    );
  return parts.join(" · ");
}

/** Online devices first, this one on top, the rest by when they were last here. */
export function inListOrder(devices: readonly DevicePresence[]): DevicePresence[] {
  const rank = (device: DevicePresence) => (device.self ? 0 : device.online ? 1 : 2);
  return [...devices].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.online ? 0 : (b.lastSeen ?? "").localeCompare(a.lastSeen ?? "")) ||
      a.name.localeCompare(b.name),
  );
}

function isSending(view: FieldView | undefined): boolean {
  return view?.saving === "sending";
}

function changes(count: number): string {
  return count === 1 ? "1 change" : `${count} changes`;
}

/** "A", "A and B", "A, B and 2 more": a long list would wrap over the page. */
function listed(names: readonly string[]): string {
  const [first = "", second = ""] = names;
  if (names.length <= 1) return first;
  if (names.length === 2) return `${first} and ${second}`;
  return `${first}, ${second} and ${names.length - 2} more`;
}
