import type { FieldName, FieldView, SettingsClient } from "@/sync/types";

/** What a field may ask of the sync core. */
export type FieldActions = Pick<
  SettingsClient,
  "change" | "compose" | "settle" | "preview" | "reset" | "focus" | "resolve"
>;

/** What every field of the two forms is given. */
export interface FieldProps {
  field: FieldName;
  view: FieldView;
  /** This device's id, to tell its own changes from the others'. */
  selfId: string;
  actions: FieldActions;
}

/** The id of a field's control, and the stem of the ids around it. */
export function fieldId(field: FieldName): string {
  return field.replace(".", "-");
}
