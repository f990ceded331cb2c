import { chosen, type Slot } from "./edits";
import { sameJson } from "./field-name";
import type { Preview } from "./previews";
import type { ChangedBy, FieldView, Json, Saving, StoredValue } from "./types";

/** Everything that decides how one field looks. */
export interface FieldParts {
  readonly fallback: Json | undefined;
  readonly stored: StoredValue | undefined;
  readonly slot: Slot | undefined;
  /** What this person is dragging. */
  readonly draft: Json | undefined;
  /** What another device is dragging. */
  readonly preview: Preview | undefined;
  readonly changedBy: StoredValue | undefined;
  readonly connected: boolean;
  readonly nameOf: (device: string) => string | null;
}

/** Puts a field together: local edit, else preview, else stored, else the schema's default. */
export function fieldView(parts: FieldParts): FieldView {
  const { slot, preview, changedBy, nameOf } = parts;
  const view: FieldView = { ...shownValue(parts), stored: parts.stored ?? null, saving: savingOf(parts) };
  return {
    ...view,
    ...(slot?.verdict.is === "refused" && { error: slot.verdict.error }),
    ...(slot?.verdict.is === "conflict" && {
      conflict: {
        mine: effective(chosen(slot), parts),
        mineAt: (slot.next ?? slot.head).at,
        theirs: effective(slot.verdict.theirs.value, parts),
        device: slot.verdict.theirs.device,
        deviceName: nameOf(slot.verdict.theirs.device),
        at: slot.verdict.theirs.at,
      },
    }),
    ...(changedBy && {
      changedBy: {
        device: changedBy.device,
        deviceName: nameOf(changedBy.device),
        at: changedBy.at,
        revision: changedBy.revision,
      },
    }),
    ...(view.origin === "preview" &&
      preview && { previewBy: { device: preview.device, deviceName: nameOf(preview.device) } }),
  };
}

function shownValue(parts: FieldParts): Pick<FieldView, "value" | "origin"> {
  const { fallback, stored, slot, draft, preview } = parts;
  const local = draft !== undefined ? draft : slot && chosen(slot);
  if (local !== undefined) return { value: effective(local, parts), origin: "local" };
  if (preview !== undefined) return { value: preview.value, origin: "preview" };
  if (stored && stored.value !== null) return { value: stored.value, origin: "stored" };
  return { value: fallback ?? null, origin: "default" };
}

// A reset key shows its default (SPEC V3).
function effective(value: Json, { fallback }: FieldParts): Json {
  return value ?? fallback ?? null;
}

function savingOf({ slot, draft, connected }: FieldParts): Saving {
  const onItsWay = connected ? "sending" : "waiting";
  if (draft !== undefined) return onItsWay;
  switch (slot?.verdict.is) {
    case undefined:
    case "acked":
      return "saved";
    case "open":
      return onItsWay;
    case "held":
    case "conflict":
      return "waiting";
    case "refused":
      return "refused";
  }
}

/** Whether two views look the same, so that the older object can be kept. */
export function sameView(a: FieldView, b: FieldView): boolean {
  return (
    a.origin === b.origin &&
    a.saving === b.saving &&
    a.error === b.error &&
    a.stored === b.stored &&
    sameJson(a.value, b.value) &&
    sameConflict(a.conflict, b.conflict) &&
    sameChangedBy(a.changedBy, b.changedBy) &&
    a.previewBy?.device === b.previewBy?.device &&
    a.previewBy?.deviceName === b.previewBy?.deviceName
  );
}

function sameConflict(a: FieldView["conflict"], b: FieldView["conflict"]): boolean {
  if (!a || !b) return a === b;
  return (
    sameJson(a.mine, b.mine) &&
    a.mineAt === b.mineAt &&
    sameJson(a.theirs, b.theirs) &&
    a.device === b.device &&
    a.deviceName === b.deviceName &&
    a.at === b.at
  );
}

function sameChangedBy(a: ChangedBy | undefined, b: ChangedBy | undefined): boolean {
  return a?.revision === b?.revision && a?.device === b?.device && a?.deviceName === b?.deviceName;
}
