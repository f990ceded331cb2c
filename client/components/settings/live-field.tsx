"use client";

import type { ReactNode } from "react";
import { useSettingsClient, useSnapshot } from "@/sync";
import type { FieldName, FieldView } from "@/sync/types";
import type { FieldProps } from "./field-props";

/** A field the schema does not have, so that a form of a larger schema still stands. */
const unknown: FieldView = { value: null, stored: null, origin: "default", saving: "saved" };

/** Hands a field's live state to whatever draws it, and draws anew only when that field changes. */
export function LiveField({
  field,
  children,
}: {
  field: FieldName;
  children: (props: FieldProps) => ReactNode;
}) {
  const actions = useSettingsClient();
  const view = useSnapshot((snapshot) => snapshot.fields[field]) ?? unknown;
  const selfId = useSnapshot((snapshot) => snapshot.device.id);
  return children({ field, view, selfId, actions });
}
