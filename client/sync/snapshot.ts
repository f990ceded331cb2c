import { type ConnectionState, statusOf } from "./connection-state";
import type { Legibility } from "./copy";
import { chosen, type Slot } from "./edits";
import { isFieldName } from "./field-name";
import { fieldView, sameView } from "./field-view";
import { type Members, nameOf } from "./presence";
import type { Preview } from "./previews";
import type { SettingsState } from "./settings-state";
import type {
  Device,
  FieldName,
  FieldView,
  Json,
  NeedsConfirm,
  Receipts,
  SettingsSnapshot,
  Status,
  StoredValue,
} from "./types";

/** Defaults by field, from the schema (SPEC V1). */
export type Defaults = Readonly<Partial<Record<FieldName, Json>>>;

/** Everything a snapshot is made of. */
export interface SnapshotParts {
  readonly username: string;
  readonly device: Device;
  readonly defaults: Defaults;
  readonly connection: ConnectionState;
  readonly state: SettingsState;
  readonly slots: ReadonlyMap<FieldName, Slot>;
  readonly draft: (field: FieldName) => Json | undefined;
  readonly preview: (field: FieldName) => Preview | undefined;
  readonly changedBy: ReadonlyMap<FieldName, StoredValue>;
  readonly members: Members;
  readonly savedRevision: number;
  readonly repairs: number;
  readonly legibility: Legibility;
}

/** Makes the snapshot of this moment out of `before`, keeping every object that still says the same. */
export function nextSnapshot(before: SettingsSnapshot | null, parts: SnapshotParts): SettingsSnapshot {
  const { members, slots, state, device } = parts;
  const next: SettingsSnapshot = {
    status: keepStatus(before?.status, shownStatus(parts)),
    username: parts.username,
    device,
    epoch: state.epoch,
    revision: state.revision,
    fields: nextFields(before?.fields, parts),
    devices: members.devices,
    waiting: [...slots.values()].filter(({ verdict }) => verdict.is === "open" || verdict.is === "held")
      .length,
    receipts: keepReceipts(before?.receipts, receiptsOf(parts)),
    needsConfirm: keepConfirm(before?.needsConfirm, confirmOf(parts)),
    asking: members.asking,
    repairs: parts.repairs,
  };
  return before && sameShallow(before, next) ? before : next;
}

function nextFields(
  before: SettingsSnapshot["fields"] | undefined,
  parts: SnapshotParts,
): SettingsSnapshot["fields"] {
  const { defaults, state, slots, members } = parts;
  const names = new Set<FieldName>([...namesOf(defaults), ...state.entries.keys(), ...slots.keys()]);
  const connected = parts.connection.state === "connected";
  let same = before !== undefined && namesOf(before).length === names.size;
  const views = [...names].map((field): [FieldName, FieldView] => {
    const view = fieldView({
      fallback: defaults[field],
      stored: state.entries.get(field),
      slot: slots.get(field),
      draft: parts.draft(field),
      preview: parts.preview(field),
      changedBy: parts.changedBy.get(field),
      connected,
      nameOf: (id) => nameOf(members, id),
    });
    const old = before?.[field];
    if (old && sameView(old, view)) return [field, old];
    same = false;
    return [field, view];
  });
  return same && before ? before : fromEntries(views);
}

/** A connection whose frames cannot be read is not shown as if all were well. */
function shownStatus({ connection, legibility }: SnapshotParts): Status {
  if (connection.state !== "connected" || legibility === "yes") return statusOf(connection);
  return { state: legibility === "no" ? "unreadable" : "catching-up" };
}

function receiptsOf({ savedRevision, members }: SnapshotParts): Receipts | null {
  if (savedRevision === 0) return null;
  const seenBy = members.devices.filter(({ self, seen }) => !self && seen >= savedRevision);
  return { revision: savedRevision, seenBy: seenBy.map(({ id, name }) => ({ id, name })) };
}

function confirmOf({ slots, state, members, device }: SnapshotParts): NeedsConfirm | null {
  const held = [...slots].filter(([, slot]) => slot.verdict.is === "held");
  if (held.length === 0) return null;
  return {
    edits: held.map(([field, slot]) => ({ field, value: chosen(slot), at: (slot.next ?? slot.head).at })),
    changes: held.flatMap(([field, slot]) => {
      const stored = state.entries.get(field);
      if (!stored || stored.revision <= slot.head.base || stored.device === device.id) return [];
      return [{ field, stored, deviceName: nameOf(members, stored.device) }];
    }),
  };
}

function keepStatus(before: Status | undefined, next: Status): Status {
  return before && sameText(before, next) ? before : next;
}

function keepReceipts(before: Receipts | null | undefined, next: Receipts | null): Receipts | null {
  return before && sameText(before, next) ? before : next;
}

function keepConfirm(
  before: NeedsConfirm | null | undefined,
  next: NeedsConfirm | null,
): NeedsConfirm | null {
  return before && sameText(before, next) ? before : next;
}

// These are small and always built in the same order.
function sameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameShallow(a: SettingsSnapshot, b: SettingsSnapshot): boolean {
  return (
    a.status === b.status &&
    a.username === b.username &&
    a.epoch === b.epoch &&
    a.revision === b.revision &&
    a.fields === b.fields &&
    a.devices === b.devices &&
    a.waiting === b.waiting &&
    a.receipts === b.receipts &&
    a.needsConfirm === b.needsConfirm &&
    a.asking === b.asking &&
    a.repairs === b.repairs
  );
}

function namesOf(fields: Readonly<Partial<Record<FieldName, unknown>>>): FieldName[] {
  return Object.keys(fields).filter(isFieldName);
}

function fromEntries(views: readonly [FieldName, FieldView][]): SettingsSnapshot["fields"] {
  const fields: Partial<Record<FieldName, FieldView>> = {};
  for (const [field, view] of views) fields[field] = view;
  return fields;
}
