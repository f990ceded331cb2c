"use client";

import { useDefaultValues } from "@/components/demo/defaults";
import { Icon } from "@/components/ui/icon";
import { fieldTitle, fieldValueText } from "@/lib/demo-fields";
import type { Replacement } from "@/lib/history-types";

/** What became of one field: "Salary", and under it "$2,500 → $3,000". */
export function ChangeText({ change }: { change: Replacement }) {
  const fallback = useDefaultValues()[change.field];
  return (
    <div className="min-w-0 text-sm leading-5">
      <p className="font-medium first-letter:uppercase">{fieldTitle(change.field)}</p>
      <p className="[overflow-wrap:anywhere]">
        <span className="text-muted">{fieldValueText(change.field, change.previous, fallback)}</span>
        <Icon name="arrow" className="mx-1.5 inline size-3.5 text-muted" />
        <span className="sr-only">became</span>
        <span>{fieldValueText(change.field, change.value, fallback)}</span>
      </p>
    </div>
  );
}
