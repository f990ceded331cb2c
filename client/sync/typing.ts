import type { Environment, Undo } from "./environment";
import type { FieldName } from "./types";

/**
 * How long a text rests before it is sent, in ms. Between two keys of one word most people
 * take 100 to 300 ms and slow ones up to 600; a pause to think is longer than 1 s. So 800 ms
 * part what was typed in one go, without making "saved" wait for much longer than a breath.
 */
const restMs = 800;

/** A syllable under composition may take as long as its candidates are looked at; in ms. */
const composeMs = 30_000;

/**
 * Fields the person is typing in. Their edits are kept at once and sent after a rest, so that
 * a word is one patch. Volatile: after a reload nobody is typing.
 */
export class Typing {
  private readonly fields = new Map<FieldName, Undo>();

  /** `onRest` is called after fields have come to rest. */
  constructor(
    private readonly env: Environment,
    private readonly onRest: () => void,
  ) {}

  readonly has = (field: FieldName): boolean => this.fields.has(field);

  /** A key was pressed: the rest begins anew. */
  readonly key = (field: FieldName): void => this.hold(field, restMs);

  /** A syllable is being composed: what stands before it rests only once it is done. */
  readonly compose = (field: FieldName): void => this.hold(field, composeMs);

  /** Ends the typing in a field, or in all of them. */
  readonly settle = (field?: FieldName): void => {
    const fields = field === undefined ? [...this.fields.keys()] : this.has(field) ? [field] : [];
    for (const one of fields) this.release(one);
    if (fields.length > 0) this.onRest();
  };

  private hold(field: FieldName, ms: number): void {
    this.fields.get(field)?.();
    this.fields.set(
      field,
      this.env.after(ms, () => this.settle(field)),
    );
  }

  private release(field: FieldName): void {
    this.fields.get(field)?.();
    this.fields.delete(field);
  }
}
