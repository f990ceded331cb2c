import type { Environment, Undo } from "./environment";
import type { FieldName, Json } from "./types";

const shownMs = 3000;

/** A value that is being dragged or typed, and where. */
export interface Preview {
  readonly value: Json;
  readonly device: string;
}

/** Values other devices are dragging right now: until the key's next change, or 3 s (SPEC L1). */
export class Previews {
  private readonly shown = new Map<FieldName, { preview: Preview; undo: Undo }>();

  constructor(
    private readonly env: Environment,
    private readonly onChange: () => void,
  ) {}

  readonly get = (field: FieldName): Preview | undefined => this.shown.get(field)?.preview;

  readonly show = (field: FieldName, preview: Preview): void => {
    this.drop(field);
    const undo = this.env.after(shownMs, () => {
      this.shown.delete(field);
      this.onChange();
    });
    this.shown.set(field, { preview, undo });
  };

  readonly drop = (field: FieldName): void => {
    this.shown.get(field)?.undo();
    this.shown.delete(field);
  };

  readonly clear = (): void => {
    for (const field of [...this.shown.keys()]) this.drop(field);
  };
}
