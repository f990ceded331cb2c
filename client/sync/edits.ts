import { nested, sameJson } from "./field-name";
import type { PatchFrame } from "./protocol";
import type { FieldName, Json, StoredValue } from "./types";

/** One value a person chose, not yet known to be saved. */
export interface Edit {
  /** Bound to field and value for ever: another value gets another id (SPEC I3). */
  readonly id: string;
  readonly value: Json;
  /** The key's revision the person saw when choosing; 0 = never set (SPEC P4). */
  readonly base: number;
  /** When it was made, ms. */
  readonly at: number;
  /** Not made live: it must carry `base`, so that it never silently overwrites a newer value. */
  readonly guarded: boolean;
  /** It was on a link once: until it is answered, the same id goes again. */
  readonly sent: boolean;
  /** A link ended over what was on it, this among it: next time it goes alone. */
  readonly suspect?: true;
}

/** What is known about a slot's head. */
export type Verdict =
  /** To be sent, or sent and not answered. */
  | { readonly is: "open" }
  /** Too old to be sent without asking. */
  | { readonly is: "held" }
  /** Stored as `revision`, which this copy has not reached yet (writes by PATCH overtake the stream). */
  | { readonly is: "acked"; readonly revision: number }
  | { readonly is: "refused"; readonly error: string }
  | { readonly is: "conflict"; readonly theirs: StoredValue };

/**
 * The unsaved edits of one field. At most one patch of a field is on its way (`head`);
 * what is chosen meanwhile is squashed into `next`.
 */
export interface Slot {
  readonly head: Edit;
  readonly next: Edit | null;
  readonly verdict: Verdict;
}

const open: Verdict = { is: "open" };

/** The value the person chose last. */
export function chosen(slot: Slot): Json {
  return (slot.next ?? slot.head).value;
}

/** Adds a newly chosen value to what is unsaved of a field. */
export function withEdit(slot: Slot | undefined, edit: Edit): Slot {
  if (!slot) return { head: edit, next: null, verdict: open };
  const { head, next, verdict } = slot;
  // Told twice, by a tab that did not know that it was heard.
  if (head.id === edit.id || next?.id === edit.id) return slot;
  switch (verdict.is) {
    case "open":
      if (head.sent) return { head, next: next ? over(next, edit) : edit, verdict };
      return { head: over(head, edit), next: null, verdict };
    case "held": // chosen anew, so no longer old; but what became of a sent head must be learned first
      if (head.sent) return { head, next: edit, verdict: open };
      return { head: over(head, edit), next: null, verdict: open };
    case "refused":
      return { head: over(head, edit), next: null, verdict: open };
    case "conflict": // still two to choose from; mine is now this one
      return { head: over(head, edit), next: null, verdict };
    case "acked":
      return { head: { ...edit, base: Math.max(edit.base, verdict.revision) }, next: null, verdict: open };
  }
}

// The person looked at the older edit all along, not at what came in under it:
// what they saw is still what the older edit was based on.
function over(older: Edit, newer: Edit): Edit {
  return { ...newer, base: older.base, guarded: older.guarded || newer.guarded };
}

/** The patch of a slot's head. */
export function patchOf(field: FieldName, edit: Edit): PatchFrame {
  return {
    type: "patch",
    id: edit.id,
    set: nested(field, edit.value),
    ...(edit.guarded && { base: nested(field, edit.base) }),
  };
}

export function markSent(slot: Slot): Slot {
  return { ...slot, head: { ...slot.head, sent: true } };
}

/** A link ended over what was on it, the head among it. */
export function suspected(slot: Slot): Slot {
  return { ...slot, head: { ...slot.head, suspect: true } };
}

/**
 * The head is stored. `revision` null: stored once, unknown as what. Undefined when
 * nothing is left to save or to bridge.
 */
export function acked(slot: Slot, revision: number | null, have: number): Slot | undefined {
  const { next } = slot;
  // `next` was chosen knowing the head, which now has this revision.
  if (next) return { head: { ...next, base: Math.max(next.base, revision ?? 0) }, next: null, verdict: open };
  return revision === null || have >= revision ? undefined : { ...slot, verdict: { is: "acked", revision } };
}

/** The copy has moved on: what only bridged the time until then is done. */
export function reached(slot: Slot, have: number): Slot | undefined {
  return slot.verdict.is === "acked" && slot.verdict.revision <= have ? undefined : slot;
}

/** The server will not take the head's value. A newer one may be better. */
export function refused(slot: Slot, error: string): Slot {
  if (slot.next) return { head: slot.next, next: null, verdict: open };
  return { ...slot, verdict: { is: "refused", error } };
}

/** Another device was faster. Two equal choices are no conflict. */
export function conflicted(slot: Slot, theirs: StoredValue): Slot | undefined {
  const mine = slot.next ?? slot.head;
  if (sameJson(mine.value, theirs.value)) return undefined;
  return { head: { ...mine, sent: false }, next: null, verdict: { is: "conflict", theirs } };
}

/** The person insists: sent again as a new patch that knows the value it replaces. */
export function insisted(slot: Slot, id: string, base: number): Slot {
  return { head: { ...slot.head, id, base, guarded: true, sent: false }, next: null, verdict: open };
}

/** The connection is gone: whatever was never sent is from now on an offline edit. */
export function guardedSlot(slot: Slot): Slot {
  const guard = (edit: Edit): Edit => (edit.sent || edit.guarded ? edit : { ...edit, guarded: true });
  const head = guard(slot.head);
  const next = slot.next && guard(slot.next);
  return head === slot.head && next === slot.next ? slot : { ...slot, head, next };
}

/**
 * The head's outcome can no longer be learned (a new epoch, or answers forgotten after
 * 30 days, SPEC P5): what is left is the last choice, as a new edit over `base`.
 */
export function startedOver(slot: Slot, id: string, base: number): Slot {
  const last = slot.next ?? slot.head;
  const verdict = slot.verdict.is === "acked" || slot.verdict.is === "conflict" ? open : slot.verdict;
  return { head: { ...last, id, base, guarded: true, sent: false }, next: null, verdict };
}
