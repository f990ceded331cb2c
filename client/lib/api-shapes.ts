import * as z from "@/sync/zod";
import { currentShape } from "./history-shapes";

/** A device as the server names it. */
export const deviceShape = z.object({ id: z.string(), name: z.string() });

/** A user this device has joined or may join. */
export const userShape = z.object({
  username: z.string(),
  joined: z.boolean(),
  /** Devices connected to it now. */
  online: z.number(),
  revision: z.number(),
  /** Whether it belongs to this device's account, which may then remove members. */
  owner: z._default(z.boolean(), false),
});

/** The answer of `GET /users`. */
export const usersShape = z.object({ users: z.array(userShape) });

/** An RFC 9457 problem (SPEC E6). Everything is optional: a proxy in between may answer in its own words. */
export const problemShape = z.object({
  code: z.optional(z.string()),
  title: z.optional(z.string()),
  detail: z.optional(z.string()),
  errors: z.optional(z.nullable(z.array(z.object({ field: z.string(), message: z.string() })))),
  current: z.optional(currentShape),
});

export type Device = z.infer<typeof deviceShape>;
export type User = z.infer<typeof userShape>;
