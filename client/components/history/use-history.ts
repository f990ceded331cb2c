"use client";

import { useEffect, useMemo, useSyncExternalStore } from "react";
import { historyApi } from "@/lib/browser-api";
import { HistoryFeed, type HistoryView } from "@/lib/history-feed";
import { useSnapshot } from "@/sync";
import type { FieldName } from "@/sync/types";

/** What of the history is looked at. */
export interface HistoryFilter {
  readonly field: FieldName | null;
  readonly device: string | null;
}

interface History extends HistoryView {
  readonly older: () => void;
}

const pageSize = 20;

/** The history of the open user, read again with every new revision. */
export function useHistory({ field, device }: HistoryFilter): History {
  const username = useSnapshot((snapshot) => snapshot.username);
  const revision = useSnapshot((snapshot) => snapshot.revision);
  const feed = useMemo(
    () => new HistoryFeed((before) => historyApi.page(username, { before, field, device, limit: pageSize })),
    [username, field, device],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is the reason to read again
  useEffect(() => {
    void feed.refresh();
  }, [feed, revision]);
  const view = useSyncExternalStore(feed.subscribe, feed.getSnapshot, feed.getSnapshot);
  return { ...view, older: feed.older };
}
