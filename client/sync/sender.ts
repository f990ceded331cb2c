import { backoffMs } from "./backoff";
import { acked, conflicted, markSent, patchOf, reached, refused, suspected } from "./edits";
import type { Environment, Undo } from "./environment";
import { flatten } from "./field-name";
import type { Pending } from "./pending";
import type { PatchFrame, RefusedFrame } from "./protocol";
import type { SettingsState } from "./settings-state";
import type { FieldName, StoredValue } from "./types";

export interface SenderOptions {
  readonly env: Environment;
  readonly pending: Pending;
  readonly send: (patch: PatchFrame) => void;
  /** Whether the server takes a frame of this size (SPEC E2). */
  readonly fits: (patch: PatchFrame) => boolean;
  /** The person is in the middle of it: kept, and not sent yet. */
  readonly isTyping: (field: FieldName) => boolean;
  /** How long a patch should wait for the server's rate (SPEC E4). */
  readonly waitMs: () => number;
  readonly state: () => SettingsState;
  /** This device's id. */
  readonly self: string;
  /** Something a person can see has changed. */
  readonly onChange: () => void;
}

const soonestRetryMs = 250;
const unreadableWords = "The server could not read this. Change it, or undo it.";

/**
 * Sends unsaved edits while connected and takes the answers: one patch per field,
 * so that one conflict holds up nothing else, and one at a time per field, so that
 * their order is kept.
 */
export class Sender {
  private connected = false;
  private readonly flying = new Set<FieldName>();
  private readonly retries = new Map<FieldName, { tries: number; at: number }>();
  private timer: Undo | null = null;
  /** The last revision this client made; 0 = none yet. */
  private saved = 0;

  constructor(private readonly options: SenderOptions) {}

  readonly savedRevision = (): number => this.saved;

  readonly isFlying = (field: FieldName): boolean => this.flying.has(field);

  /** Whether a suspect is on its way. Nothing else is sent meanwhile, so that a close has one possible cause. */
  readonly isTrying = (): boolean => [...this.flying].some((field) => this.isSuspect(field));

  /** Patches are accepted from here (SPEC C7), and the copy has caught up. */
  readonly start = (): void => {
    this.connected = true;
    this.guardOvertaken();
    this.pump();
  };

  /** The link is gone, and with it every answer on its way. */
  readonly stop = (): void => {
    this.connected = false;
    this.flying.clear();
    this.retries.clear();
    this.timer?.();
    this.timer = null;
    this.options.pending.guardAll();
  };

  /** Sends what may go now, and comes back for the rest. */
  readonly pump = (): void => {
    this.timer?.();
    this.timer = null;
    if (!this.connected) return;
    const { env, pending } = this.options;
    if (this.isTrying()) return;
    const ready = [...pending.slots()]
      .filter(([field, slot]) => slot.verdict.is === "open" && !this.flying.has(field))
      .filter(([field]) => !this.options.isTyping(field))
      .sort(([, a], [, b]) => a.head.at - b.head.at);
    let soonest = Number.POSITIVE_INFINITY;
    for (const field of this.withoutRisk(ready.map(([field]) => field))) {
      const retryIn = (this.retries.get(field)?.at ?? 0) - env.now();
      const wait = Math.max(retryIn, this.options.waitMs());
      if (wait > 0) soonest = Math.min(soonest, wait);
      else this.sendHead(field);
    }
    if (soonest !== Number.POSITIVE_INFINITY) this.timer = env.after(soonest, this.pump);
  };

  /**
   * The link ended over something sent on it (SPEC E1, E2). Each patch without an answer may be
   * the cause and goes alone next time. One that was alone when it happened again is the
   * cause: it is set aside, and the others go on. False where no patch can be.
   */
  readonly onBlamed = (): boolean => {
    const alone = this.flying.size === 1;
    for (const field of this.flying) {
      if (alone && this.isSuspect(field)) this.refuse(field, unreadableWords);
      else this.suspect(field);
    }
    return this.flying.size > 0;
  };

  /** SPEC P2. */
  readonly onAck = (id: string, revision: number): void => {
    const field = this.land(id);
    if (!field) return;
    this.saved = Math.max(this.saved, revision);
    this.settle(field, revision);
  };

  /** SPEC P3: nothing a person typed is dropped, whatever the code. */
  readonly onRefused = (frame: RefusedFrame): void => {
    const field = this.land(frame.id);
    if (!field) return;
    switch (frame.code) {
      case "conflict":
        this.conflict(field, frame);
        break;
      case "id-reused":
        // An id names one field and one value for ever (see edits.ts), so that other body
        // was this very edit without its base: it is stored.
        this.settle(field, null);
        return;
      case "invalid":
      case "malformed":
      case "too-large":
      case "quota-exceeded":
        this.refuse(field, frame.message);
        break;
      case "not-ready":
      case "rate-limited":
      case "storage-full":
      case "unavailable":
      case "internal":
        this.later(field, frame.retryIn);
        break;
    }
    this.pump();
    this.options.onChange();
  };

  /** This copy has new values: conflicts show them, and what waited for them is done. */
  readonly onApplied = (): void => {
    const { pending, state } = this.options;
    const { revision, entries } = state();
    for (const [field, slot] of pending.slots()) {
      const theirs = entries.get(field);
      const newer =
        slot.verdict.is === "conflict" && theirs && theirs.revision > slot.verdict.theirs.revision;
      pending.put(field, newer ? conflicted(slot, theirs) : reached(slot, revision));
    }
  };

  /**
   * A patch without an answer goes again as it was (SPEC I3). Where another device has been
   * faster meanwhile it goes with its base: if it never arrived, it must not overwrite what
   * it knew nothing of; if it did, the same id with another body says so (`id-reused`).
   */
  private guardOvertaken(): void {
    const { pending, state, self } = this.options;
    for (const [field, slot] of pending.slots()) {
      const { head } = slot;
      const here = state().entries.get(field);
      const overtaken = here !== undefined && here.device !== self && here.revision > head.base;
      if (overtaken && head.sent && !head.guarded)
        pending.put(field, { ...slot, head: { ...head, guarded: true } });
    }
  }

  private sendHead(field: FieldName): void {
    const { pending, send } = this.options;
    const slot = pending.get(field);
    if (!slot) return;
    const patch = patchOf(field, slot.head);
    // The server would end the connection over it (SPEC E2), again and again.
    if (!this.options.fits(patch)) {
      this.refuse(field, "This value is too large to be saved.");
      return;
    }
    this.flying.add(field);
    pending.put(field, markSent(slot));
    send(patch);
  }

  /** Of the fields with something to send, those that may go now: a suspect goes last and alone. */
  private withoutRisk(fields: readonly FieldName[]): readonly FieldName[] {
    const sound = fields.filter((field) => !this.isSuspect(field));
    if (sound.length > 0 || this.flying.size > 0) return sound;
    return fields.slice(0, 1);
  }

  private isSuspect(field: FieldName): boolean {
    return this.options.pending.get(field)?.head.suspect ?? false;
  }

  private suspect(field: FieldName): void {
    const { pending } = this.options;
    const slot = pending.get(field);
    if (slot) pending.put(field, suspected(slot));
  }

  /** The field whose patch `id` names, no longer on its way. */
  private land(id: string): FieldName | undefined {
    for (const [field, slot] of this.options.pending.slots()) {
      if (slot.head.id !== id || !this.flying.has(field)) continue;
      this.flying.delete(field);
      return field;
    }
    return undefined;
  }

  private settle(field: FieldName, revision: number | null): void {
    const { pending, state, onChange } = this.options;
    const slot = pending.get(field);
    this.retries.delete(field);
    if (slot) pending.put(field, acked(slot, revision, state().revision));
    this.pump();
    onChange();
  }

  private conflict(field: FieldName, frame: RefusedFrame): void {
    const { pending, state } = this.options;
    const slot = pending.get(field);
    const told = flatten<StoredValue>(frame.current ?? {}).find(([name]) => name === field)?.[1];
    const here = state().entries.get(field);
    const theirs = told && here && here.revision > told.revision ? here : (told ?? here);
    if (slot) pending.put(field, theirs ? conflicted(slot, theirs) : refused(slot, frame.message));
  }

  private refuse(field: FieldName, message: string): void {
    const { pending } = this.options;
    const slot = pending.get(field);
    this.retries.delete(field);
    if (slot) pending.put(field, refused(slot, message));
  }

  private later(field: FieldName, retryIn: number | undefined): void {
    const { env } = this.options;
    const tries = this.retries.get(field)?.tries ?? 0;
    const wait = retryIn ?? Math.max(soonestRetryMs, backoffMs(tries, env.random));
    this.retries.set(field, { tries: tries + 1, at: env.now() + wait });
  }
}
