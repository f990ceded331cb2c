"use client";

import { Button } from "@/components/ui/button";
import { useNow } from "@/components/ui/use-now";
import { fieldTitle } from "@/lib/demo-fields";
import { valueText } from "@/lib/format";
import { relativeTime } from "@/lib/relative-time";
import type { NeedsConfirm } from "@/sync/types";

interface OldEditsProps {
  needed: NeedsConfirm;
  onConfirm: (send: boolean) => void;
}

/** Edits made here long ago and never sent: they go out only if the person still means them. */
export function OldEdits({ needed, onConfirm }: OldEditsProps) {
  const now = useNow();
  const changed = new Map(needed.changes.map((change) => [change.field, change]));
  return (
    <section
      aria-label="unsent changes"
      className="rounded-card border border-warn bg-warn-soft p-4 text-sm sm:p-5"
    >
      <p className="font-medium text-warn">This device kept changes that were never sent. Send them now?</p>
      <ul className="mt-2 mb-3 space-y-1">
        {needed.edits.map((edit) => (
          <li key={edit.field}>
            {fieldTitle(edit.field)}: {valueText(edit.value)}{" "}
            <span className="text-muted">
              {relativeTime(new Date(edit.at).toISOString(), now)}
              {changed.has(edit.field) &&
                `; ${changed.get(edit.field)?.deviceName ?? "another device"} changed it since`}
            </span>
          </li>
        ))}
      </ul>
      <div className="flex flex-wrap gap-2">
        <Button size="small" onClick={() => onConfirm(true)}>
          send them
        </Button>
        <Button size="small" look="quiet" onClick={() => onConfirm(false)}>
          drop them
        </Button>
      </div>
    </section>
  );
}
