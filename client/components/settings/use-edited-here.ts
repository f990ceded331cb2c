"use client";

import { useState } from "react";
import type { FieldView } from "@/sync/types";

/**
 * When this page saw the field's last local edit, in ms; null if it saw none. A
 * field nobody touched here has nothing to report, so it does not say "saved".
 */
export function useEditedHere(view: FieldView): number | null {
  const [editedAt, setEditedAt] = useState<number | null>(null);
  const [before, setBefore] = useState(view);
  if (before !== view) {
    setBefore(view);
    const edited = view.saving !== "saved" && (before.saving === "saved" || before.value !== view.value);
    if (edited) setEditedAt(Date.now());
  }
  return editedAt;
}
