import type { PresenceFrame, ServerFrame } from "./protocol";
import type { Device, DevicePresence } from "./types";

type DeviceFrame = Extract<ServerFrame, { type: "device" }>;

/** The members of the user as this client knows them, and who asks to become one. */
export interface Members {
  readonly devices: readonly DevicePresence[];
  readonly asking: readonly Device[];
}

export const nobody: Members = { devices: [], asking: [] };

/** Applies a `presence` frame (SPEC L3): a full one replaces the list, another one what it names. */
export function applyPresence(members: Members, frame: PresenceFrame, self: string): Members {
  const told = frame.devices.map(
    (device): DevicePresence => ({ ...device, lastSeen: device.lastSeen ?? null, self: device.id === self }),
  );
  if (frame.full) return { ...members, devices: told };
  const byId = new Map(members.devices.map((device) => [device.id, device]));
  for (const device of told) byId.set(device.id, device);
  return { ...members, devices: [...byId.values()] };
}

/** Applies a `device` frame (SPEC L4). */
export function applyDevice(members: Members, { event, device }: DeviceFrame, self: string): Members {
  const { devices, asking } = members;
  const others = devices.filter(({ id }) => id !== device.id);
  // The same list where nothing about it changed: a new one is read as news of somebody at the door.
  const asked = asking.some(({ id }) => id === device.id);
  const notAsking = asked ? asking.filter(({ id }) => id !== device.id) : asking;
  switch (event) {
    case "joined": {
      if (others.length < devices.length) return { devices, asking: notAsking };
      const joined = { ...device, online: false, sessions: 0, lastSeen: null, focus: null, seen: 0 };
      return { devices: [...devices, { ...joined, self: device.id === self }], asking: notAsking };
    }
    case "left":
    case "revoked":
      return { devices: others, asking: notAsking };
    case "renamed": {
      const rename = <T extends Device>(one: T): T =>
        one.id === device.id ? { ...one, name: device.name } : one;
      return { devices: devices.map(rename), asking: asking.map(rename) };
    }
    case "asks":
      return { devices, asking: [...notAsking, device] };
  }
}

/** The name of a member; null for one that is gone. */
export function nameOf(members: Members, id: string): string | null {
  return members.devices.find((device) => device.id === id)?.name ?? null;
}
