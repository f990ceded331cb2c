import { useMemo } from "react";
import type { ChangeHow, FieldName, FieldView, Json, PreviewHow } from "./types";
import { useSettingsClient } from "./use-client";
import { useSnapshot } from "./use-settings";

/** What a form control needs of one field. */
export interface Field {
  /** Undefined for a field that neither the schema nor the server knows. */
  readonly view: FieldView | undefined;
  readonly change: (value: Json, how?: ChangeHow) => void;
  readonly preview: (value: Json, how?: PreviewHow) => void;
  readonly reset: () => void;
  readonly resolve: (pick: "mine" | "theirs") => void;
  /** For onFocus and onBlur: publishes the edited field to the other devices, and ends the typing. */
  readonly focus: () => void;
  readonly blur: () => void;
}

/**
 * One field, live: `const { view, change } = useField("billing.salary")`. Draws anew only
 * when this field changes; its methods stay the same.
 */
export function useField(field: FieldName): Field {
  const client = useSettingsClient();
  const view = useSnapshot((snapshot) => snapshot.fields[field]);
  const methods = useMemo(
    () => ({
      change: (value: Json, how?: ChangeHow) => client.change(field, value, how),
      preview: (value: Json, how?: PreviewHow) => client.preview(field, value, how),
      reset: () => client.reset(field),
      resolve: (pick: "mine" | "theirs") => client.resolve(field, pick),
      focus: () => client.focus(field),
      blur: () => {
        client.settle(field);
        client.focus(null);
      },
    }),
    [client, field],
  );
  return { view, ...methods };
}
