"use client";

import { useId } from "react";
import { Button } from "@/components/ui/button";
import { useNow } from "@/components/ui/use-now";
import { valueText } from "@/lib/format";
import { relativeTime } from "@/lib/relative-time";
import type { Conflict, Json } from "@/sync/types";

interface ConflictChipProps {
  title: string;
  conflict: Conflict;
  /** This device's id: it may have made both, in two windows. */
  selfId: string;
  format?: (value: Json) => string;
  onPick: (pick: "mine" | "theirs") => void;
}

/** An edit made offline met a newer one. Both are shown with who and when, and the person picks. */
export function ConflictChip({ title, conflict, selfId, format = valueText, onPick }: ConflictChipProps) {
  const now = useNow();
  const titleId = useId();
  const own = conflict.device === selfId;
  const from = own ? "this device" : (conflict.deviceName ?? "a device that left");
  const mineAt = relativeTime(new Date(conflict.mineAt).toISOString(), now);
  return (
    <fieldset
      aria-label="conflict"
      aria-describedby={titleId}
      className="mt-2 rounded-field border border-warn bg-warn-soft p-3 text-sm"
    >
      <p id={titleId} role="status" className="mb-2 font-medium text-warn">
        {`${title} was changed ${own ? "twice on this device" : "on two devices"}. Which one stays?`}
      </p>
      <Choice
        value={format(conflict.theirs)}
        from={`${from}, ${relativeTime(conflict.at, now)}`}
        action="keep theirs"
        onPick={() => onPick("theirs")}
      />
      <Choice
        value={format(conflict.mine)}
        from={`this device, ${mineAt}`}
        action="keep mine"
        onPick={() => onPick("mine")}
      />
    </fieldset>
  );
}

function Choice(props: { value: string; from: string; action: string; onPick: () => void }) {
  return (
    <div className="flex items-center gap-3 py-1">
      <p className="min-w-0 flex-1 leading-5">
        <span className="block truncate font-medium">{props.value}</span>
        <span className="block truncate text-muted text-xs">{props.from}</span>
      </p>
      <Button size="small" onClick={props.onPick}>
        {props.action}
      </Button>
    </div>
  );
}
