/**
 * The public contract of the sync core: what a page may read and what it may ask for.
 *
 * Nothing here knows React, a socket or a browser. A page reads one immutable
 * SettingsSnapshot and calls the methods of one SettingsClient.
 */

/** Any JSON value; what one key of the settings holds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** One key of the settings with its block, as the wire names it in `field`: `billing.salary`. */
export type FieldName = `${string}.${string}`;

/** How frames travel: a WebSocket, or server-sent events with PATCH where sockets are blocked. */
export type Transport = "websocket" | "sse";

/**
 * Why the client will not come back by itself.
 *
 * - `signed-out`: the log-in is over; sign in again.
 * - `revoked`: this device was revoked; everything kept here has been wiped.
 * - `not-a-member`: this device never joined the user, or there is no such user.
 * - `disjoined`: this device was a member while connected, and no longer is.
 * - `too-many`: too many connections of this device (close the other windows).
 * - `rejected`: the server does not accept what this client says; reload to get a newer client.
 * - `closed`: the page called `stop()`.
 */
export type StopReason =
  | "signed-out"
  | "revoked"
  | "not-a-member"
  | "disjoined"
  | "too-many"
  | "rejected"
  | "closed";

/** Where the live connection stands. Exactly one of these at a time; `connected` means edits are accepted. */
export type Status =
  | { readonly state: "connecting" }
  | { readonly state: "catching-up" }
  | { readonly state: "connected"; readonly transport: Transport }
  /** Connected, but what the server sent could not be read, also when asked for again: what is shown may be old. */
  | { readonly state: "unreadable" }
  /** Not connected; tries again at `retryAt` (ms since the epoch). Edits wait meanwhile: see `SettingsSnapshot.waiting`. */
  | { readonly state: "offline"; readonly retryAt: number }
  | { readonly state: "stopped"; readonly reason: StopReason };

/** A device as the server names it. */
export interface Device {
  readonly id: string;
  readonly name: string;
}

/** A member of the user, and whether it is here (SPEC L3). */
export interface DevicePresence extends Device {
  readonly online: boolean;
  /** Live connections of this device, on any node. */
  readonly sessions: number;
  /** RFC 3339; null when it never connected. */
  readonly lastSeen: string | null;
  /** What is being edited there, if it says so. */
  readonly focus: FieldName | null;
  /** The last revision that device has shown. */
  readonly seen: number;
  /** True for the device this client runs on. */
  readonly self: boolean;
}

/** The durable value of one key and where it came from. `value: null` is a reset key (SPEC V3). */
export interface StoredValue {
  readonly value: Json;
  readonly revision: number;
  readonly device: string;
  /** RFC 3339; for showing, never for comparing (SPEC I4). */
  readonly at: string;
}

/** Where `FieldView.value` comes from. */
export type Origin = "default" | "stored" | "preview" | "local";

/**
 * How safe this field's latest local edit is.
 *
 * - `saved`: the server has acknowledged it, or there is none.
 * - `sending`: on its way over a live connection.
 * - `waiting`: kept here until there is a connection, a confirmation or a decision.
 * - `refused`: the server will not take it; `error` says why and the typed value stays.
 */
export type Saving = "saved" | "sending" | "waiting" | "refused";

/** An edit made offline met a newer value of another device. Nothing is lost: `resolve` picks one. */
export interface Conflict {
  readonly mine: Json;
  /** When the own edit was made, in ms since the epoch by this machine's clock. */
  readonly mineAt: number;
  readonly theirs: Json;
  readonly device: string;
  /** Null when the device is no longer a member. */
  readonly deviceName: string | null;
  readonly at: string;
}

/** Another device changed the field while this page was looking: let it glow. */
export interface ChangedBy {
  readonly device: string;
  readonly deviceName: string | null;
  readonly at: string;
  /** Grows with every such change, so it can be the key of an animation. */
  readonly revision: number;
}

/** The device that is dragging or typing; its name is null when it is no longer a member. */
export interface PreviewBy {
  readonly device: string;
  readonly deviceName: string | null;
}

/** Everything a page needs to draw one field. Same object until something about the field changes. */
export interface FieldView {
  /** What to show now: local edit, else preview of another device, else stored value, else schema default. */
  readonly value: Json;
  /** What the server holds; null when the key was never set. */
  readonly stored: StoredValue | null;
  readonly origin: Origin;
  readonly saving: Saving;
  /** The server's words, when `saving` is `refused`. */
  readonly error?: string;
  readonly conflict?: Conflict;
  readonly changedBy?: ChangedBy;
  /** Whose preview `value` is, when `origin` is `preview`. */
  readonly previewBy?: PreviewBy;
}

/** An edit kept on this device and not yet saved. */
export interface WaitingEdit {
  readonly field: FieldName;
  readonly value: Json;
  /** When it was made, ms since the epoch. */
  readonly at: number;
}

/** What changed on the server under a waiting edit. */
export interface MissedChange {
  readonly field: FieldName;
  readonly stored: StoredValue;
  readonly deviceName: string | null;
}

/** Old edits are not sent without asking: `confirm(true)` sends them, `confirm(false)` drops them. */
export interface NeedsConfirm {
  readonly edits: readonly WaitingEdit[];
  /** Fields of `edits` that another device changed meanwhile; sending them will ask per field. */
  readonly changes: readonly MissedChange[];
}

/** The last revision this client saved, and the other devices that have shown it since. */
export interface Receipts {
  readonly revision: number;
  readonly seenBy: readonly Device[];
}

/** Everything a page can draw, at one moment. The same object until something changes. */
export interface SettingsSnapshot {
  readonly status: Status;
  readonly username: string;
  readonly device: Device;
  /** Null until the first state has come. */
  readonly epoch: string | null;
  readonly revision: number;
  /** Every key of the schema and every stored key. */
  readonly fields: Readonly<Partial<Record<FieldName, FieldView>>>;
  readonly devices: readonly DevicePresence[];
  /** Edits that are not saved yet and will be sent without a decision (old ones after `confirm`). */
  readonly waiting: number;
  /** Null until this client has saved something. */
  readonly receipts: Receipts | null;
  readonly needsConfirm: NeedsConfirm | null;
  /** Devices of other accounts that ask to join (SPEC L4). */
  readonly asking: readonly Device[];
  /** How often this copy was found to differ and was fetched anew (SPEC S7). Anything but 0 is a bug somewhere. */
  readonly repairs: number;
}

/** What becomes of a preview that nobody follows up. */
export interface PreviewHow {
  readonly save: boolean;
}

/** How final a chosen value is. */
export interface ChangeHow {
  /**
   * The person is typing: shown to the other devices at once, kept on this one at once, and
   * sent after 800 ms of rest or by `settle`, so that a word is one change.
   */
  readonly typing: boolean;
}

/** The live settings of one user on this device. Every method may be called in any state and never throws. */
export interface SettingsClient {
  /** Calls `listener` after every change of the snapshot; returns its undo. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => SettingsSnapshot;
  /** The person chose a value: shown at once, saved when acknowledged. A value equal to the default is a choice too. */
  readonly change: (field: FieldName, value: Json, how?: ChangeHow) => void;
  /** A syllable is being composed in the field: what was typed before it is not sent until it is done. */
  readonly compose: (field: FieldName) => void;
  /** The person has finished typing in the field: it was left, or Enter was pressed, or the page goes. */
  readonly settle: (field: FieldName) => void;
  /**
   * The person is dragging: shown here and elsewhere, stored by `change` or after 400 ms of
   * rest. With `save: false` it is only told to the other devices and never stored: half a
   * word is worth showing, but not keeping.
   */
  readonly preview: (field: FieldName, value: Json, how?: PreviewHow) => void;
  /** Back to the schema's default (SPEC V3). */
  readonly reset: (field: FieldName) => void;
  /** What is being edited, for the other devices; null = nothing. */
  readonly focus: (field: FieldName | null) => void;
  /** Ends a conflict. `theirs` also drops an edit that was refused. */
  readonly resolve: (field: FieldName, pick: "mine" | "theirs") => void;
  /** Answers `needsConfirm`. */
  readonly confirm: (send: boolean) => void;
  /** Try now instead of at `retryAt`; also leaves `stopped` (after `too-many` or a new sign-in). */
  readonly reconnect: () => void;
  /** Ends everything this client started. Unsent edits stay kept for next time. */
  readonly stop: () => void;
}
