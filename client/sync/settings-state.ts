import { flatten } from "./field-name";
import type { ChangeFrame, Cursor } from "./protocol";
import type { FieldName, StoredValue } from "./types";

/** This device's copy of what the server holds: for each key its last change, tombstones too. */
export interface SettingsState {
  /** Null until the first whole state has come. */
  readonly epoch: string | null;
  readonly revision: number;
  readonly entries: ReadonlyMap<FieldName, StoredValue>;
}

/** What a `change` did to the copy. */
export type Applied =
  /** `replaced`: it was the whole state. `changed`: fields whose revision moved. */
  | {
      readonly outcome: "applied";
      readonly state: SettingsState;
      readonly replaced: boolean;
      readonly changed: readonly FieldName[];
    }
  /** Known already: told twice, or by two roads. */
  | { readonly outcome: "known" }
  /** Something before it is missing: say `sync` with this revision. */
  | { readonly outcome: "gap"; readonly have: number };

/** A device that knows nothing yet. */
export const emptyState: SettingsState = { epoch: null, revision: 0, entries: new Map() };

/** Where the copy stands, for `resume`; null on first contact. */
export function cursorOf(state: SettingsState): Cursor | null {
  return state.epoch === null ? null : { epoch: state.epoch, revision: state.revision };
}

/** Applies one `change` (SPEC S1, S2). Pure: the given state stays as it is. */
export function applyChange(state: SettingsState, frame: ChangeFrame): Applied {
  if (frame.from === 0) return replace(state, frame);
  if (frame.epoch !== state.epoch) return { outcome: "gap", have: 0 };
  if (frame.from > state.revision) return { outcome: "gap", have: state.revision };
  if (frame.revision <= state.revision) return { outcome: "known" };

  const entries = new Map(state.entries);
  const changed: FieldName[] = [];
  for (const [field, entry] of flatten<StoredValue>(frame.values)) {
    // A frame may overlap what is known; a newer value never gives way to an older.
    if (entry.revision <= (entries.get(field)?.revision ?? 0)) continue;
    entries.set(field, entry);
    changed.push(field);
  }
  return {
    outcome: "applied",
    state: { epoch: frame.epoch, revision: frame.revision, entries },
    replaced: false,
    changed,
  };
}

function replace(state: SettingsState, frame: ChangeFrame): Applied {
  const entries = new Map(flatten<StoredValue>(frame.values));
  const sameEpoch = frame.epoch === state.epoch;
  const changed = [...new Set([...state.entries.keys(), ...entries.keys()])].filter(
    (field) => !sameEpoch || entries.get(field)?.revision !== state.entries.get(field)?.revision,
  );
  return {
    outcome: "applied",
    state: { epoch: frame.epoch, revision: frame.revision, entries },
    replaced: true,
    changed,
  };
}
