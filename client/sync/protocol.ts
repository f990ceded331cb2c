import { isFieldName } from "./field-name";
import type { FieldName, Json } from "./types";
import { encodeJson } from "./well-formed";
import * as z from "./zod";

/** The subprotocol this client speaks (SPEC C1). */
export const subprotocol = "settings-sync.v1";

const revision = z.int().check(z.gte(0));
const blocks = <T extends z.core.SomeType>(value: T) => z.record(z.string(), z.record(z.string(), value));
const device = z.object({ id: z.string(), name: z.string() });

/** The durable value of one key, as it travels and as it is kept. */
export const entrySchema = z.object({ value: z.json(), revision, device: z.string(), at: z.string() });

// A focus that is no field's name means nothing to show, not a broken frame.
const focus = z.pipe(
  z.nullish(z.string()),
  z.transform((name): FieldName | null => (name && isFieldName(name) ? name : null)),
);

const presence = z.object({
  id: z.string(),
  name: z.string(),
  online: z.boolean(),
  sessions: z.int(),
  lastSeen: z.nullish(z.string()),
  focus,
  seen: z._default(revision, 0),
});

const refusalCodes = [
  "invalid",
  "malformed",
  "conflict",
  "id-reused",
  "not-ready",
  "too-large",
  "quota-exceeded",
  "rate-limited",
  "storage-full",
  "unavailable",
  "internal",
] as const;

const serverFrame = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    session: z.string(),
    device,
    username: z.string(),
    epoch: z.string(),
    revision,
    tokenExpires: z.optional(z.string()),
    limits: z.optional(z.object({ frameBytes: z.optional(z.int()), framesPerSecond: z.optional(z.int()) })),
  }),
  z.object({
    type: z.literal("change"),
    epoch: z.string(),
    from: revision,
    revision,
    values: blocks(entrySchema),
  }),
  z.object({ type: z.literal("presence"), full: z._default(z.boolean(), false), devices: z.array(presence) }),
  z.object({ type: z.literal("ready"), revision }),
  z.object({
    type: z.literal("ack"),
    id: z.string(),
    revision,
    // What only comes along must not cost the answer itself.
    overwrote: z.catch(
      z.optional(blocks(z.object({ value: z.json(), device: z.string(), revision }))),
      undefined,
    ),
    duplicate: z._default(z.boolean(), false),
  }),
  z.object({
    type: z.literal("refused"),
    id: z.string(),
    // A code of a later version is a refusal like any other: it must not be lost.
    code: z.catch(z.enum(refusalCodes), "invalid"),
    message: z._default(z.string(), ""),
    field: z.optional(z.string()),
    current: z.catch(z.optional(blocks(entrySchema)), undefined),
    retryIn: z.optional(z.number().check(z.gte(0))),
  }),
  z.object({ type: z.literal("preview"), set: blocks(z.json()), device: z.string() }),
  z.object({
    type: z.literal("device"),
    event: z.enum(["joined", "left", "renamed", "revoked", "asks"]),
    device,
    /** With `asks`: what is to be approved or denied. */
    ask: z.optional(z.object({ id: z.string(), email: z.string(), expires: z.string() })),
  }),
  /** What another device of the account did just now (SPEC L5). The words are those of the audit log. */
  z.object({
    type: z.literal("notice"),
    event: z.string(),
    device,
    address: z.string(),
    detail: z.string(),
    at: z.string(),
  }),
  z.object({ type: z.literal("ping"), revision, seal: z.string() }),
  z.object({ type: z.literal("authDue"), in: z.number().check(z.gte(0)) }),
  z.object({
    type: z.literal("bye"),
    code: z.int(),
    reason: z._default(z.string(), ""),
    retryIn: z.optional(z.number().check(z.gte(0))),
  }),
]);

/** Any frame the server sends, discriminated by `type`. */
export type ServerFrame = z.infer<typeof serverFrame>;
export type ChangeFrame = Extract<ServerFrame, { type: "change" }>;
export type PresenceFrame = Extract<ServerFrame, { type: "presence" }>;
export type RefusedFrame = Extract<ServerFrame, { type: "refused" }>;
export type RefusalCode = RefusedFrame["code"];

/** Where a device stands: what `resume` says and the server continues from (SPEC C6). */
export interface Cursor {
  readonly epoch: string;
  readonly revision: number;
}

type Blocks<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;

/** A change a person made. `id` names it for ever: sent again, it changes nothing twice (SPEC I3). */
export interface PatchFrame {
  readonly type: "patch";
  readonly id: string;
  readonly set: Blocks<Json>;
  readonly base?: Blocks<number>;
}

/** Any frame a device sends, discriminated by `type`. */
export type ClientFrame =
  | { readonly type: "hello"; readonly token?: string; readonly resume?: Cursor }
  | PatchFrame
  | { readonly type: "preview"; readonly set: Blocks<Json> }
  | { readonly type: "focus"; readonly field: FieldName | null }
  | { readonly type: "auth"; readonly token: string }
  | { readonly type: "sync"; readonly revision: number }
  | { readonly type: "pong"; readonly seen: number };

/** A frame that a server of this version does not send: damaged on the way, or wrong. */
export interface UnreadableFrame {
  readonly type: "unreadable";
  /** The type in the frame; null where that is unreadable too. */
  readonly of: ServerFrame["type"] | null;
  /** What is wrong and where, without any value. */
  readonly why: string;
}

const withType = z.object({ type: z.string() });
const knownTypes: readonly string[] = serverFrame.def.options.flatMap(({ shape }) => shape.type.def.values);

/**
 * Reads one frame. Null is a type of a later version, which is ignored (SPEC D1). A known
 * type that does not fit, or text that is no frame at all, is unreadable and must be repaired.
 */
export function parseServerFrame(text: string): ServerFrame | UnreadableFrame | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return unreadable(null, "it is not JSON");
  }
  const parsed = serverFrame.safeParse(raw);
  if (parsed.success) return parsed.data;
  const typed = withType.safeParse(raw);
  if (!typed.success) return unreadable(null, "it has no type");
  if (!isKnownType(typed.data.type)) return null;
  const [issue] = parsed.error.issues;
  return unreadable(typed.data.type, `${issue?.path.join(".") ?? ""}: ${issue?.code ?? ""}`);
}

/** As parseServerFrame, where there is nothing to repair a frame with. */
export function readServerFrame(text: string): ServerFrame | null {
  const frame = parseServerFrame(text);
  return frame?.type === "unreadable" ? null : frame;
}

/** Says that something came that is no frame. */
export function unreadable(of: UnreadableFrame["of"], why: string): UnreadableFrame {
  return { type: "unreadable", of, why };
}

function isKnownType(type: string): type is ServerFrame["type"] {
  return knownTypes.includes(type);
}

/** Writes one frame as the text that travels. */
export function encodeFrame(frame: ClientFrame): string {
  return encodeJson(frame);
}
