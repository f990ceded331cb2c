import type { Device, FieldName, Json, StoredValue } from "@/sync/types";

/** What became of one field. `previous` undefined: it had never been set. `null`: it was, or became, reset. */
export interface Replacement {
  readonly field: FieldName;
  readonly value: Json;
  readonly previous: Json | undefined;
}

/** One line of the history: who made what of which field. */
export interface Change extends Replacement {
  readonly revision: number;
  readonly device: Device;
  readonly at: string;
}

/** A part of the history, newest first, in whole revisions. */
export interface HistoryPage {
  readonly changes: readonly Change[];
  /** `before` of the next page; null when this is the last. */
  readonly next: number | null;
}

/** Which part of the history. */
export interface HistoryQuery {
  readonly before?: number | undefined;
  readonly limit?: number | undefined;
  readonly field?: FieldName | null | undefined;
  readonly device?: string | null | undefined;
}

/** What a step would change, and the version of the settings this is true of. */
export interface Trial {
  readonly changes: readonly Replacement[];
  readonly version: string;
}

/** A field that another change has reached since, with what it holds now. */
export interface Moved {
  readonly field: FieldName;
  readonly now: StoredValue;
}

/** What came of an undo. A change made since is never clobbered: it is reported. */
export type Undone =
  | { readonly outcome: "done"; readonly revision: number }
  | { readonly outcome: "changed-since"; readonly moved: readonly Moved[] };

/** A step that can be looked at before it is taken. */
export interface Step {
  readonly look: () => Promise<Trial>;
  /** Refused with 412 when anything changed since the look. */
  readonly take: (trial: Trial) => Promise<void>;
}
