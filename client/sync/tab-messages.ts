import { isFieldName } from "./field-name";
import { fieldSchema } from "./field-schema";
import type { FieldName, FieldView, Json, SettingsSnapshot } from "./types";
import * as z from "./zod";

const device = z.object({ id: z.string(), name: z.string() });
const stored = z.object({ value: z.json(), revision: z.int(), device: z.string(), at: z.string() });
const deviceName = z.nullable(z.string());

const status = z.discriminatedUnion("state", [
  z.object({ state: z.literal("connecting") }),
  z.object({ state: z.literal("catching-up") }),
  z.object({ state: z.literal("connected"), transport: z.enum(["websocket", "sse"]) }),
  z.object({ state: z.literal("unreadable") }),
  z.object({ state: z.literal("offline"), retryAt: z.number() }),
  z.object({
    state: z.literal("stopped"),
    reason: z.enum(["signed-out", "revoked", "not-a-member", "disjoined", "too-many", "rejected", "closed"]),
  }),
]);

const view = z.object({
  value: z.json(),
  stored: z.nullable(stored),
  origin: z.enum(["default", "stored", "preview", "local"]),
  saving: z.enum(["saved", "sending", "waiting", "refused"]),
  error: z.exactOptional(z.string()),
  conflict: z.exactOptional(
    z.object({
      mine: z.json(),
      mineAt: z.number(),
      theirs: z.json(),
      device: z.string(),
      deviceName,
      at: z.string(),
    }),
  ),
  changedBy: z.exactOptional(z.object({ device: z.string(), deviceName, at: z.string(), revision: z.int() })),
  previewBy: z.exactOptional(z.object({ device: z.string(), deviceName })),
});

const snapshot = z.object({
  status,
  username: z.string(),
  device,
  epoch: z.nullable(z.string()),
  revision: z.int(),
  fields: z.pipe(
    z.record(z.string(), view),
    z.transform((views): SettingsSnapshot["fields"] => onlyFields(views)),
  ),
  devices: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      online: z.boolean(),
      sessions: z.int(),
      lastSeen: z.nullable(z.string()),
      focus: z.nullable(fieldSchema),
      seen: z.int(),
      self: z.boolean(),
    }),
  ),
  waiting: z.int(),
  receipts: z.nullable(z.object({ revision: z.int(), seenBy: z.array(device) })),
  needsConfirm: z.nullable(
    z.object({
      edits: z.array(z.object({ field: fieldSchema, value: z.json(), at: z.number() })),
      changes: z.array(z.object({ field: fieldSchema, stored, deviceName })),
    }),
  ),
  asking: z.array(device),
  repairs: z.int(),
});

const command = z.discriminatedUnion("do", [
  z.object({
    do: z.literal("change"),
    field: fieldSchema,
    value: z.json(),
    id: z.string(),
    base: z.int(),
    typing: z.exactOptional(z.boolean()),
  }),
  z.object({ do: z.literal("compose"), field: fieldSchema }),
  z.object({ do: z.literal("settle"), field: fieldSchema }),
  z.object({ do: z.literal("preview"), field: fieldSchema, value: z.json(), save: z.boolean() }),
  z.object({ do: z.literal("focus"), field: z.nullable(fieldSchema) }),
  z.object({ do: z.literal("resolve"), field: fieldSchema, pick: z.enum(["mine", "theirs"]) }),
  z.object({ do: z.literal("confirm"), send: z.boolean() }),
  z.object({ do: z.literal("reconnect") }),
]);

const message = z.discriminatedUnion("type", [
  /** "Who leads, and how do things stand?" */
  z.object({ type: z.literal("ask") }),
  /** `done`: up to which command of each tab everything is kept. */
  z.object({ type: z.literal("state"), leader: z.string(), snapshot, done: z.record(z.string(), z.int()) }),
  z.object({ type: z.literal("command"), tab: z.string(), number: z.int(), command }),
  /** A tab that follows shows this revision to someone. */
  z.object({ type: z.literal("shown"), revision: z.int() }),
]);

/** What a person did in a tab that does not lead. */
export type Command =
  /** `id` and `base` become the patch's: told to two leaders, it is one edit over what its person saw (SPEC I3, P4). */
  | {
      readonly do: "change";
      readonly field: FieldName;
      readonly value: Json;
      readonly id: string;
      readonly base: number;
      readonly typing?: boolean;
    }
  | { readonly do: "compose"; readonly field: FieldName }
  | { readonly do: "settle"; readonly field: FieldName }
  | { readonly do: "preview"; readonly field: FieldName; readonly value: Json; readonly save: boolean }
  | { readonly do: "focus"; readonly field: FieldName | null }
  | { readonly do: "resolve"; readonly field: FieldName; readonly pick: "mine" | "theirs" }
  | { readonly do: "confirm"; readonly send: boolean }
  | { readonly do: "reconnect" };

/** What tabs tell each other. */
export type TabMessage =
  | { readonly type: "ask" }
  | {
      readonly type: "state";
      readonly leader: string;
      readonly snapshot: SettingsSnapshot;
      readonly done: Readonly<Record<string, number>>;
    }
  | { readonly type: "command"; readonly tab: string; readonly number: number; readonly command: Command }
  | { readonly type: "shown"; readonly revision: number };

const state = z.object({ type: z.literal("state") });

/**
 * Reads what another tab said; null for what this version does not understand. A state is what
 * this tab would show, so one that does not fit is "unreadable". A command that is not understood
 * is taken over by the tab it comes from, which keeps it until it is done.
 */
export function parseTabMessage(raw: unknown): TabMessage | "unreadable" | null {
  const parsed = message.safeParse(raw);
  if (parsed.success) return parsed.data;
  return state.safeParse(raw).success ? "unreadable" : null;
}

function onlyFields(views: Readonly<Record<string, FieldView>>): SettingsSnapshot["fields"] {
  const fields: Partial<Record<FieldName, FieldView>> = {};
  for (const [name, one] of Object.entries(views)) if (isFieldName(name)) fields[name] = one;
  return fields;
}
