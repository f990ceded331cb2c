"use client";

import { useId } from "react";
import { Button } from "@/components/ui/button";
import { useNow } from "@/components/ui/use-now";
import { historyApi } from "@/lib/browser-api";
import type { RevisionOf } from "@/lib/history";
import { relativeTime } from "@/lib/relative-time";
import { useSnapshot } from "@/sync";
import { ChangeText } from "./change-text";
import { MovedNote } from "./moved-note";
import { useUndo } from "./use-undo";

interface RevisionEntryProps {
  entry: RevisionOf;
  /** Absent for the newest one: it is where everything is now. */
  onRestore?: (() => void) | undefined;
}

/** What one device changed at once, with the ways back from it. */
export function RevisionEntry({ entry, onRestore }: RevisionEntryProps) {
  const username = useSnapshot((snapshot) => snapshot.username);
  const { state, run } = useUndo();
  const whatId = useId();
  const now = useNow();
  const undo = (partial: boolean) => run(() => historyApi.undo(username, entry.revision, partial));
  return (
    <li className="py-2.5">
      <div className="flex items-start gap-2">
        <div id={whatId} className="min-w-0 flex-1 space-y-1.5">
          {entry.changes.map((change) => (
            <ChangeText key={change.field} change={change} />
          ))}
        </div>
        <Button
          size="small"
          className="-mt-0.5 shrink-0"
          aria-describedby={whatId}
          aria-disabled={state.is === "asking"}
          onClick={() => undo(false)}
        >
          undo
        </Button>
      </div>
      <div className="mt-0.5 flex min-h-5 items-center justify-between gap-3 text-muted text-xs">
        <p className="min-w-0 truncate" title={new Date(entry.at).toLocaleString("en-GB")}>
          {`${entry.device.name || "a device that left"}, ${relativeTime(entry.at, now)}`}
        </p>
        {onRestore && (
          <button
            type="button"
            aria-describedby={whatId}
            className="shrink-0 font-medium text-accent underline-offset-4 hover:underline"
            onClick={onRestore}
          >
            restore to here
          </button>
        )}
      </div>
      {state.is === "done" && (
        <p role="status" className="sr-only">
          undone
        </p>
      )}
      {state.is === "failed" && (
        <p role="alert" className="mt-1 text-bad text-sm">
          {state.detail}
        </p>
      )}
      {state.is === "changed-since" && (
        <MovedNote
          moved={state.moved}
          onRest={state.moved.length < entry.changes.length ? () => undo(true) : undefined}
        />
      )}
    </li>
  );
}
