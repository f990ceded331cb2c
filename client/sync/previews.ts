import type { Environment, Undo } from "./environment";
import type { FieldName, Json } from "./types";

const shownMs = 3000;

/** Values other devices are dragging right now: until the key's next change, or 3 s (SPEC L1). */
export class Previews {
  private readonly shown = new Map<FieldName, { value: Json; undo: Undo }>();

  constructor(
    private readonly env: Environment,
    private readonly onChange: () => void,
  ) {}

  readonly get = (field: FieldName): Json | undefined => this.shown.get(field)?.value;

  readonly show = (field: FieldName, value: Json): void => {
    this.drop(field);
    const undo = this.env.after(shownMs, () => {
      this.shown.delete(field);
      this.onChange();
    });
    this.shown.set(field, { value, undo });
  };

  readonly drop = (field: FieldName): void => {
    this.shown.get(field)?.undo();
    this.shown.delete(field);
  };

  readonly clear = (): void => {
    for (const field of [...this.shown.keys()]) this.drop(field);
  };
}
