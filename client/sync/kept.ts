import type { Slot } from "./edits";
import { fieldSchema } from "./field-schema";
import { entrySchema } from "./protocol";
import { emptyState, type SettingsState } from "./settings-state";
import type { FieldName } from "./types";
import { wellFormed } from "./well-formed";
import * as z from "./zod";

/** A place on this device that outlives a reload. Any of these may fail. */
export interface Storage {
  readonly get: (key: string) => Promise<unknown>;
  readonly set: (key: string, value: unknown) => Promise<void>;
  readonly remove: (key: string) => Promise<void>;
  readonly keys: () => Promise<readonly string[]>;
}

/** What one device keeps of one user. */
export interface Kept {
  readonly state: SettingsState;
  readonly slots: ReadonlyMap<FieldName, Slot>;
  /** When the server was last heard, ms; null = never. */
  readonly contactAt: number | null;
}

export const nothingKept: Kept = { state: emptyState, slots: new Map(), contactAt: null };

// An earlier version of this page kept text as it was typed, half an emoji and all.
const keptValue = z.json().check(z.overwrite((value) => wellFormed(value)));

const editSchema = z.object({
  id: z.string(),
  value: keptValue,
  base: z.int(),
  at: z.number(),
  guarded: z.boolean(),
  sent: z.boolean(),
  suspect: z.exactOptional(z.literal(true)),
});
const slotSchema = z.object({
  head: editSchema,
  next: z.nullable(editSchema),
  verdict: z.discriminatedUnion("is", [
    z.object({ is: z.literal("open") }),
    z.object({ is: z.literal("held") }),
    z.object({ is: z.literal("acked"), revision: z.int() }),
    z.object({ is: z.literal("refused"), error: z.string() }),
    z.object({ is: z.literal("conflict"), theirs: entrySchema }),
  ]),
});
const stateSchema = z.object({
  epoch: z.string(),
  revision: z.int(),
  entries: z.array(z.tuple([fieldSchema, entrySchema])),
  contactAt: z.number(),
});
const slotRow = z.tuple([fieldSchema, slotSchema]);

const prefix = (device: string) => `settings:${device}:`;

/**
 * Reads and writes what this device keeps of one user. What is read back was
 * written by an earlier version, or by nobody: it is parsed like a frame. A state
 * that does not fit is fetched anew. Of the edits each is read by itself, so that
 * one that does not fit takes no other with it. Both are reported.
 */
export class Keeper {
  constructor(
    private readonly storage: Storage,
    private readonly device: string,
    private readonly username: string,
    private readonly report: (message: string) => void = () => {},
  ) {}

  readonly read = async (): Promise<Kept> => {
    const [rawState, rawSlots] = await Promise.all([this.get("state"), this.get("edits")]);
    const state = stateSchema.safeParse(rawState);
    if (!state.success && rawState !== undefined) this.report("The settings kept here could not be read.");
    return {
      state: state.success ? stateOf(state.data) : emptyState,
      slots: new Map(this.slotsOf(rawSlots)),
      contactAt: state.success ? state.data.contactAt : null,
    };
  };

  private slotsOf(raw: unknown): [FieldName, Slot][] {
    if (raw === undefined) return [];
    const rows: unknown[] = Array.isArray(raw) ? raw : [raw];
    return rows.flatMap((row) => {
      const parsed = slotRow.safeParse(row);
      if (parsed.success) return [parsed.data];
      this.report("An edit kept here could not be read.");
      return [];
    });
  }

  readonly writeState = (state: SettingsState, contactAt: number): Promise<void> =>
    this.set("state", { ...state, entries: [...state.entries], contactAt });

  readonly writeSlots = (slots: ReadonlyMap<FieldName, Slot>): Promise<void> => this.set("edits", [...slots]);

  /** Removes everything this device keeps, of every user (SPEC E1, 4503). */
  readonly wipe = async (): Promise<void> => {
    const keys = await this.storage.keys().catch(() => []);
    const mine = keys.filter((key) => key.startsWith(prefix(this.device)));
    await Promise.all(mine.map((key) => this.storage.remove(key).catch(() => {})));
  };

  private key(what: "state" | "edits"): string {
    return `${prefix(this.device)}${this.username}:${what}`;
  }

  private get(what: "state" | "edits"): Promise<unknown> {
    return this.storage.get(this.key(what)).catch(() => undefined);
  }

  private set(what: "state" | "edits", value: unknown): Promise<void> {
    return this.storage.set(this.key(what), value).catch(() => {});
  }
}

function stateOf({ epoch, revision, entries }: z.infer<typeof stateSchema>): SettingsState {
  return { epoch, revision, entries: new Map(entries) };
}
