import type { Environment, Undo } from "./environment";
import type { Keeper, Kept } from "./kept";
import type { Pending } from "./pending";
import type { ChangeFrame, ClientFrame } from "./protocol";
import { sealOf } from "./seal";
import { applyChange, emptyState, type SettingsState } from "./settings-state";
import type { FieldName, StoredValue } from "./types";

export interface CopyOptions {
  readonly env: Environment;
  readonly keeper: Keeper;
  readonly pending: Pending;
  /** This device's id: its own changes do not glow. */
  readonly self: string;
  readonly send: (frame: ClientFrame) => void;
}

/** Whether what the server sends can be read; while it is asked for again, how much was asked for. */
export type Legibility = "yes" | "asked" | "asked-for-all" | "no";

const writeMs = 500;
const contactMs = 60 * 60 * 1000;

/**
 * This device's copy of the settings: applies what the server says, notices what is
 * missing or wrong and asks for it (SPEC S2, S5, S7), and keeps it for the next page.
 */
export class Copy {
  private current: SettingsState = emptyState;
  private glow: ReadonlyMap<FieldName, StoredValue> = new Map();
  /** The epoch whose whole state must come before `ready`; null = none expected. */
  private wholeOf: string | null = null;
  private legible: Legibility = "yes";
  private contactAt: number | null = null;
  private repaired = 0;
  private timer: Undo | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly options: CopyOptions) {}

  readonly state = (): SettingsState => this.current;

  /** Fields that another device changed while this page lived. */
  readonly changedBy = (): ReadonlyMap<FieldName, StoredValue> => this.glow;

  /** Whether what the server sent could be read. */
  readonly legibility = (): Legibility => this.legible;

  /** How often the seal did not match. */
  readonly repairs = (): number => this.repaired;

  /** When the server was last heard before this connection; null = never. */
  readonly contact = (): number | null => this.contactAt;

  readonly written = (): Promise<void> => this.writing;

  readonly load = (kept: Kept): void => {
    this.current = kept.state;
    this.contactAt = kept.contactAt;
  };

  /** The person edits the field: they have noticed. */
  readonly looked = (field: FieldName): void => {
    if (!this.glow.has(field)) return;
    const glow = new Map(this.glow);
    glow.delete(field);
    this.glow = glow;
  };

  readonly onWelcome = (epoch: string, revision: number): void => {
    const continues = epoch === this.current.epoch && revision >= this.current.revision;
    this.wholeOf = continues ? null : epoch;
  };

  /** The link is gone: what the next one brings may be readable. Not with `welcome`: a stream begins with it after each `sync`. */
  readonly onLost = (): void => {
    this.legible = "yes";
  };

  /**
   * Requests an unreadable `change` again, then the whole state (SPEC D1), and then
   * no more because of it. What comes later may be readable, and ends it.
   */
  readonly onUnreadableChange = (): void => {
    if (this.legible === "no") return;
    const again = this.legible === "yes" && this.wholeOf === null;
    this.legible = this.legible === "asked-for-all" ? "no" : again ? "asked" : "asked-for-all";
    if (this.legible !== "no") {
      this.options.send({ type: "sync", revision: again ? this.current.revision : 0 });
    }
  };

  /** Frames that cannot be read come on every link: until something shows that this copy is right, it may not be. */
  readonly giveUpReading = (): void => {
    this.legible = "no";
  };

  /** Returns the fields that changed. */
  readonly onChange = (frame: ChangeFrame): readonly FieldName[] => {
    const applied = applyChange(this.current, frame);
    switch (applied.outcome) {
      case "known":
        this.legible = "yes";
        return [];
      case "gap":
        this.options.send({ type: "sync", revision: applied.have });
        return [];
      case "applied":
        this.legible = "yes";
        if (applied.replaced) this.wholeOf = null;
        this.move(applied.state, applied.changed);
        return applied.changed;
    }
  };

  readonly onReady = (revision: number): void => {
    const { wholeOf, options } = this;
    if (this.legible !== "yes") return; // asked for already
    if (wholeOf !== null && revision === 0) {
      // Of a user who has stored nothing there is nothing to send (SPEC C6): it is the whole state.
      this.move({ epoch: wholeOf, revision: 0, entries: new Map() }, []);
    } else if (wholeOf !== null) options.send({ type: "sync", revision: 0 });
    else if (this.current.revision < revision)
      options.send({ type: "sync", revision: this.current.revision });
    this.wholeOf = null;
  };

  readonly onPing = (revision: number, seal: string): void => {
    const { send, env } = this.options;
    if (revision > this.current.revision) send({ type: "sync", revision: this.current.revision });
    else if (revision === this.current.revision && seal !== sealOf(this.current.entries)) {
      this.repaired++;
      send({ type: "sync", revision: 0 });
    } else if (revision === this.current.revision) this.legible = "yes";
    if (this.contactAt === null || env.now() - this.contactAt > contactMs) this.touched();
  };

  /** The connection stands: from now on the server is not silent. */
  readonly touched = (): void => {
    this.contactAt = this.options.env.now();
    this.keep();
  };

  /** Forgets everything (SPEC E1, 4503). */
  readonly clear = (): void => {
    this.timer?.();
    this.timer = null;
    this.current = emptyState;
    this.contactAt = null;
    this.glow = new Map();
  };

  private move(state: SettingsState, changed: readonly FieldName[]): void {
    const before = this.current;
    this.current = state;
    if (before.epoch === state.epoch) this.light(changed);
    else {
      this.glow = new Map();
      if (before.epoch !== null) this.options.pending.rebase(before, state);
    }
    this.keep();
  }

  private light(changed: readonly FieldName[]): void {
    const glow = new Map(this.glow);
    for (const field of changed) {
      const entry = this.current.entries.get(field);
      if (entry && entry.device !== this.options.self) glow.set(field, entry);
      else glow.delete(field);
    }
    this.glow = glow;
  }

  /** Written at most twice a second: a lost write only means resuming from a little earlier. */
  private keep(): void {
    const { env, keeper } = this.options;
    if (this.timer) return;
    this.timer = env.after(writeMs, () => {
      this.timer = null;
      if (this.current.epoch === null) return;
      this.writing = keeper.writeState(this.current, this.contactAt ?? env.now());
    });
  }
}
