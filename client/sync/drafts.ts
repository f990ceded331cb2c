import type { Environment, Undo } from "./environment";
import { splitField } from "./field-name";
import type { ClientFrame } from "./protocol";
import type { FieldName, Json } from "./types";

const everyMs = 50;
const restMs = 400;

export interface DraftsOptions {
  readonly env: Environment;
  /** Shows the other devices where a drag is; volatile (SPEC L1). */
  readonly send: (frame: ClientFrame) => void;
  /** Whether this volatile frame may go now. */
  readonly maySend: (preview: ClientFrame) => boolean;
  /** The drag came to rest without being released: what it rests on is a choice. */
  readonly onRest: (field: FieldName, value: Json) => void;
}

/** Values this person is dragging right now: shown at once, told at most every 50 ms, stored after 400 ms of rest. */
export class Drafts {
  private readonly drafts = new Map<FieldName, { value: Json; save: boolean; undo: Undo }>();
  private readonly untold = new Set<FieldName>();
  private telling: Undo | null = null;
  private toldAt = 0;

  constructor(private readonly options: DraftsOptions) {}

  /** What is shown here; a draft that is not to be stored is its control's own business. */
  readonly get = (field: FieldName): Json | undefined => {
    const draft = this.drafts.get(field);
    return draft?.save ? draft.value : undefined;
  };

  readonly set = (field: FieldName, value: Json, save: boolean): void => {
    const { env, onRest } = this.options;
    this.drafts.get(field)?.undo();
    const undo = env.after(restMs, () => {
      this.drop(field);
      if (save) onRest(field, value);
    });
    this.drafts.set(field, { value, save, undo });
    this.untold.add(field);
    // By the clock too: a browser slows the timers of a tab nobody looks at, which may
    // lead for one that somebody does.
    if (!this.telling || env.now() - this.toldAt >= everyMs) this.tell();
  };

  /** A stored value took the place of what the others were shown: shows them the drag again. */
  readonly again = (field: FieldName): void => {
    if (!this.drafts.has(field)) return;
    this.untold.add(field);
    if (!this.telling) this.tell();
  };

  /** Ends a drag; its value is stored by someone else, or not at all. */
  readonly drop = (field: FieldName): void => {
    this.drafts.get(field)?.undo();
    this.drafts.delete(field);
    this.untold.delete(field);
  };

  /** Stores every drag as it is: the page is about to go. */
  readonly rest = (): void => {
    for (const [field, { value, save }] of [...this.drafts]) {
      this.drop(field);
      if (save) this.options.onRest(field, value);
    }
    this.telling?.();
    this.telling = null;
  };

  private preview(): ClientFrame {
    const set: Record<string, Record<string, Json>> = {};
    for (const field of this.untold) {
      const draft = this.drafts.get(field);
      if (!draft) continue;
      const { block, key } = splitField(field);
      set[block] = { ...set[block], [key]: draft.value };
    }
    return { type: "preview", set };
  }

  private tell(): void {
    const { env, send, maySend } = this.options;
    this.telling?.();
    this.toldAt = env.now();
    const preview = this.preview();
    if (this.untold.size > 0 && maySend(preview)) {
      this.untold.clear();
      send(preview);
    }
    this.telling = env.after(everyMs, () => {
      this.telling = null;
      if (this.untold.size > 0) this.tell();
    });
  }
}
