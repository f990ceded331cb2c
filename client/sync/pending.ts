import { type Edit, guardedSlot, insisted, type Slot, startedOver, withEdit } from "./edits";
import type { Environment } from "./environment";
import { sameJson } from "./field-name";
import type { Keeper } from "./kept";
import type { SettingsState } from "./settings-state";
import type { FieldName } from "./types";

const dayMs = 24 * 60 * 60 * 1000;

/** Edits older than this are not sent without asking. */
const oldMs = dayMs;

/** The server remembers its answers this long (SPEC P5); a device silent for longer is asked about every edit. */
const forgottenMs = 30 * dayMs;

/**
 * The unsaved edits of this device, by field. Every change of them is written down
 * at once, so that closing the page loses nothing; what they mean is in edits.ts.
 */
export class Pending {
  private map: ReadonlyMap<FieldName, Slot> = new Map();
  private writing: Promise<void> | null = null;
  private loaded = false;
  private scheduled = false;

  constructor(
    private readonly env: Environment,
    private readonly keeper: Keeper,
  ) {}

  readonly slots = (): ReadonlyMap<FieldName, Slot> => this.map;

  readonly get = (field: FieldName): Slot | undefined => this.map.get(field);

  /** Puts what an earlier page left under what this one has chosen since. */
  readonly load = (kept: ReadonlyMap<FieldName, Slot>): void => {
    this.loaded = true;
    const since = this.map;
    this.map = kept;
    // The connection those edits were made on is gone with the page.
    this.guardAll();
    for (const [field, slot] of since) this.put(field, withEdit(this.get(field), slot.head));
  };

  readonly add = (field: FieldName, edit: Pick<Edit, "id" | "value" | "base" | "guarded">): void => {
    this.put(field, withEdit(this.get(field), { ...edit, at: this.env.now(), sent: false }));
  };

  /** The person decided about a conflict or a refusal. `here`: the field's revision in the copy. */
  readonly resolve = (field: FieldName, pick: "mine" | "theirs", here: number): void => {
    const slot = this.get(field);
    const verdict = slot?.verdict;
    if (verdict?.is !== "conflict" && verdict?.is !== "refused") return;
    if (pick === "theirs") this.put(field, undefined);
    else if (slot && verdict.is === "conflict") {
      this.put(field, insisted(slot, this.env.newId(), Math.max(verdict.theirs.revision, here)));
    }
  };

  /** Replaces a slot; undefined removes it. */
  readonly put = (field: FieldName, slot: Slot | undefined): void => {
    if (slot === this.map.get(field)) return;
    const map = new Map(this.map);
    if (slot) map.set(field, slot);
    else map.delete(field);
    this.map = map;
    this.write();
  };

  /** The connection is gone: what was never sent must carry its base from now on. */
  readonly guardAll = (): void => {
    for (const [field, slot] of this.map) this.put(field, guardedSlot(slot));
  };

  /** Sets aside what is too old to send unasked. `contactAt`: when the server was last heard. */
  readonly holdOld = (contactAt: number | null): void => {
    const now = this.env.now();
    const silent = contactAt !== null && now - contactAt > forgottenMs;
    for (const [field, slot] of this.map) {
      const age = now - slot.head.at;
      if (slot.verdict.is !== "open" || !(silent || age > oldMs)) continue;
      const { head } = slot;
      const known = head.sent && age > forgottenMs ? startedOver(slot, this.env.newId(), head.base) : slot;
      this.put(field, { ...known, verdict: { is: "held" } });
    }
  };

  readonly answerHeld = (send: boolean): void => {
    for (const [field, slot] of this.map) {
      if (slot.verdict.is === "held")
        this.put(field, send ? { ...slot, verdict: { is: "open" } } : undefined);
    }
  };

  /**
   * The server's history was replaced: revisions of the old one mean nothing in the
   * new. An edit goes on where the value the person saw still stands, and becomes a
   * conflict where it does not.
   */
  readonly rebase = (before: SettingsState, after: SettingsState): void => {
    for (const [field, slot] of this.map) {
      if (slot.verdict.is === "refused") continue;
      const now = after.entries.get(field);
      const same = sameJson(now?.value ?? null, before.entries.get(field)?.value ?? null);
      this.put(field, startedOver(slot, this.env.newId(), same ? (now?.revision ?? 0) : 0));
    }
  };

  readonly clear = (): void => {
    for (const field of this.map.keys()) this.put(field, undefined);
  };

  /** Resolves when everything is written down. */
  readonly written = (): Promise<void> => this.writing ?? Promise.resolve();

  // One write for all changes of a moment. None waits for the one before: the storage keeps their
  // order, and a write that was not begun is lost when the page is closed.
  private write(): void {
    if (this.scheduled || !this.loaded) return;
    this.scheduled = true;
    const writing = Promise.resolve().then(() => {
      this.scheduled = false;
      return this.keeper.writeSlots(this.map);
    });
    this.writing = writing;
    void writing.then(() => {
      if (this.writing === writing) this.writing = null;
    });
  }
}
