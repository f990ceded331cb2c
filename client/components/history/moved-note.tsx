"use client";

import { useEffect, useRef } from "react";
import { useDefaultValues } from "@/components/demo/defaults";
import { Button } from "@/components/ui/button";
import { useNow } from "@/components/ui/use-now";
import { fieldTitle, fieldValueText } from "@/lib/demo-fields";
import type { Moved } from "@/lib/history-types";
import { relativeTime } from "@/lib/relative-time";
import { usePresence } from "@/sync";

interface MovedNoteProps {
  moved: readonly Moved[];
  /** Undoes what has not changed since; absent when that is nothing. */
  onRest?: (() => void) | undefined;
}

/** An undo that met newer changes: what is there now, whose it is, and that it was left alone. */
export function MovedNote({ moved, onRest }: MovedNoteProps) {
  const defaults = useDefaultValues();
  const { devices } = usePresence();
  const now = useNow();
  const nameOf = (device: string) => devices.find(({ id }) => id === device)?.name ?? "a device that left";
  const note = useRef<HTMLDivElement>(null);
  // It stands at the end of what may be a scrolled list.
  useEffect(() => note.current?.scrollIntoView({ block: "nearest" }), []);
  return (
    <div ref={note} role="alert" className="mt-2 rounded-field bg-warn-soft p-2.5 text-sm leading-5">
      <p className="font-medium text-warn">Changed since, so nothing was undone.</p>
      <ul className="mt-1 space-y-1">
        {moved.map(({ field, now: stored }) => (
          <li key={field} className="[overflow-wrap:anywhere]">
            <span className="inline-block first-letter:uppercase">{fieldTitle(field)}</span> is now{" "}
            <span>{fieldValueText(field, stored.value, defaults[field])}</span>{" "}
            <span className="text-muted">{`${nameOf(stored.device)}, ${relativeTime(stored.at, now)}`}</span>
          </li>
        ))}
      </ul>
      {onRest && (
        <Button size="small" className="mt-2" onClick={onRest}>
          undo the rest
        </Button>
      )}
    </div>
  );
}
