"use client";

import { useDefaultValues } from "@/components/demo/defaults";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import { useNow } from "@/components/ui/use-now";
import { historyApi } from "@/lib/browser-api";
import { classNames } from "@/lib/class-names";
import { fieldTitle, fieldValueText } from "@/lib/demo-fields";
import { relativeTime } from "@/lib/relative-time";
import { useSnapshot } from "@/sync";
import type { FieldName } from "@/sync/types";
import { MovedNote } from "./moved-note";
import { useHistory } from "./use-history";
import { useUndo } from "./use-undo";

/** One field's story: the default, then who made what of it, up to now. */
export function WhyDialog({ field, onClose }: { field: FieldName; onClose: () => void }) {
  const username = useSnapshot((snapshot) => snapshot.username);
  const fallback = useDefaultValues()[field];
  const { page, problem, reading, older } = useHistory({ field, device: null });
  const { state, run } = useUndo();
  const now = useNow();
  const title = fieldTitle(field);
  const last = page?.changes[0];

  return (
    <Dialog title={`Why is ${title === "terms and conditions" ? "this" : title} so?`} onClose={onClose}>
      {problem && <Notice tone="warn">{problem.detail}</Notice>}
      {!page && !problem && <Skeleton className="h-24" />}
      {page && (
        <ol className="max-h-[50dvh] overflow-y-auto pl-1 text-sm">
          {page.next === null ? (
            <Station
              value={fieldValueText(field, undefined, fallback)}
              by="before anybody chose"
              now={!last}
            />
          ) : (
            <li className="border-line border-l-2 pb-3 pl-4">
              <Button size="small" aria-disabled={reading} onClick={older}>
                older
              </Button>
            </li>
          )}
          {page.changes.toReversed().map((change) => (
            <Station
              key={change.revision}
              value={fieldValueText(field, change.value, fallback)}
              by={`${change.device.name || "a device that left"}, ${relativeTime(change.at, now)}`}
              now={change === last}
            />
          ))}
        </ol>
      )}
      {state.is === "failed" && (
        <p role="alert" className="mt-3 text-bad text-sm">
          {state.detail}
        </p>
      )}
      {state.is === "changed-since" && <MovedNote moved={state.moved} />}
      <div className="mt-4 flex flex-wrap gap-2">
        {last && (
          <Button
            aria-disabled={state.is === "asking"}
            onClick={() => run(() => historyApi.undoField(username, last))}
          >
            undo the last change
          </Button>
        )}
        <Button onClick={onClose}>close</Button>
      </div>
    </Dialog>
  );
}

/** A value on the way here, and who brought it. */
function Station({ value, by, now }: { value: string; by: string; now: boolean }) {
  return (
    <li className="relative border-line border-l-2 pb-3 pl-4 last:pb-0">
      <span
        aria-hidden="true"
        className={classNames(
          "absolute top-1.5 -left-[0.3125rem] size-2 rounded-full",
          now ? "bg-accent" : "bg-line-strong",
        )}
      />
      <p className={classNames("[overflow-wrap:anywhere]", now && "font-medium")}>
        {value}
        {now && (
          <span className="ml-2 rounded-full bg-accent-soft px-2 py-0.5 text-accent-strong text-xs">now</span>
        )}
      </p>
      <p className="truncate text-muted text-xs">{by}</p>
    </li>
  );
}
