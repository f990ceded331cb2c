"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import { useNow } from "@/components/ui/use-now";
import { historyApi } from "@/lib/browser-api";
import { byDay, type RevisionOf } from "@/lib/history";
import type { Step } from "@/lib/history-types";
import { relativeTime } from "@/lib/relative-time";
import { useSnapshot } from "@/sync";
import { HistoryFilterBar } from "./history-filter";
import { ReviewDialog } from "./review-dialog";
import { RevisionEntry } from "./revision-entry";
import { Transfer } from "./transfer";
import { type HistoryFilter, useHistory } from "./use-history";

const everything: HistoryFilter = { field: null, device: null };

/** The changes of the open user, newest first. */
export function HistoryList() {
  const username = useSnapshot((snapshot) => snapshot.username);
  const revision = useSnapshot((snapshot) => snapshot.revision);
  const [filter, setFilter] = useState(everything);
  const [restore, setRestore] = useState<{ step: Step; entry: RevisionOf } | null>(null);
  const { page, problem, reading, older } = useHistory(filter);
  const now = useNow();

  return (
    <div className="space-y-3 border-line border-t px-4 py-3 sm:px-6">
      <HistoryFilterBar filter={filter} onFilter={setFilter} />
      {problem && <Notice tone="warn">{problem.detail}</Notice>}
      {!page && !problem && <Skeleton className="h-32" />}
      {page?.changes.length === 0 && (
        <p className="py-3 text-center text-muted text-sm">
          {filter.field || filter.device ? "No such change is kept." : "Nothing was changed yet."}
        </p>
      )}
      {page && page.changes.length > 0 && (
        <div className="max-h-[28rem] overflow-y-auto">
          {byDay(page.changes, now).map(({ day, revisions }) => (
            <section key={day} aria-label={day}>
              <h3 className="sticky top-0 z-1 bg-surface py-1 font-medium text-muted text-xs">{day}</h3>
              <ol className="divide-y divide-line">
                {revisions.map((entry) => (
                  <RevisionEntry
                    key={entry.revision}
                    entry={entry}
                    onRestore={
                      entry.revision < revision
                        ? () => setRestore({ entry, step: historyApi.restore(username, entry.revision) })
                        : undefined
                    }
                  />
                ))}
              </ol>
            </section>
          ))}
          {page.next !== null && (
            <Button size="small" className="mt-1 mb-1 w-full" aria-disabled={reading} onClick={older}>
              older
            </Button>
          )}
        </div>
      )}
      <Transfer />
      {restore && (
        <ReviewDialog
          title={`Restore what ${restore.entry.device.name || "a device"} left ${relativeTime(restore.entry.at, now)}?`}
          action="restore"
          step={restore.step}
          onClose={() => setRestore(null)}
        />
      )}
    </div>
  );
}
