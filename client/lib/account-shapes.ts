import * as z from "@/sync/zod";

/** A device of the account, in the words of `GET /devices`. */
export const ownDeviceShape = z.object({
  id: z.string(),
  name: z.string(),
  /** "Firefox on Linux": what the browser said of itself. */
  platform: z.string(),
  createdAt: z.string(),
  lastSeen: z.nullable(z.string()),
  online: z.boolean(),
  /** The device that asked. */
  current: z.boolean(),
  /** The users it has joined. */
  users: z.nullable(z.array(z.string())),
});

export const ownDevicesShape = z.object({ devices: z.array(ownDeviceShape) });

/** A page of `GET /audit`, newest first. */
export const auditShape = z.object({
  events: z.array(
    z.object({
      number: z.number(),
      event: z.string(),
      device: z.nullish(z.object({ id: z.string(), name: z.string() })),
      address: z.string(),
      detail: z.string(),
      at: z.string(),
    }),
  ),
  next: z.optional(z.number()),
});

export type OwnDevice = z.infer<typeof ownDeviceShape>;
export type AuditPage = z.infer<typeof auditShape>;
export type AuditEvent = AuditPage["events"][number];
