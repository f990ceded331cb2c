"use client";

import { useNow } from "@/components/ui/use-now";
import { relativeTime } from "@/lib/relative-time";
import type { ChangedBy } from "@/sync/types";

/** "Firefox.test6, just now": whose change this is that just moved under one's eyes. */
export function ChangedNote({ by }: { by: ChangedBy }) {
  const now = useNow();
  return (
    <span className="truncate text-muted">
      {`${by.deviceName ?? "a device that left"}, ${relativeTime(by.at, now)}`}
    </span>
  );
}
