"use client";

import { useCallback, useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import { useNow } from "@/components/ui/use-now";
import type { AuditEvent, AuditPage } from "@/lib/account-shapes";
import { problemOf } from "@/lib/api-error";
import { auditWords } from "@/lib/audit-words";
import { accountApi } from "@/lib/browser-api";
import { classNames } from "@/lib/class-names";
import { relativeTime } from "@/lib/relative-time";
import { useOwnDevices } from "./use-own-devices";

/** Log-ins, joins, revocations and refusals of the account, newest first. */
export function AuditLog() {
  const { devices } = useOwnDevices();
  const [page, setPage] = useState<AuditPage | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [reading, setReading] = useState(false);

  const read = useCallback(async (before?: number) => {
    setReading(true);
    try {
      const more = await accountApi.audit(before);
      setPage((known) => (before && known ? { ...more, events: [...known.events, ...more.events] } : more));
      setProblem(null);
    } catch (thrown) {
      setProblem(problemOf(thrown).detail);
    }
    setReading(false);
  }, []);

  // A device that came or went has left a line too.
  const count = devices?.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the number of devices is the reason to read again
  useEffect(() => {
    void read();
  }, [read, count]);

  return (
    <div className="space-y-3">
      {problem && <Notice tone="warn">{problem}</Notice>}
      {!page && !problem && <Skeleton className="h-40" />}
      {page && (
        <ol className="-my-2 divide-y divide-line">
          {page.events.map((event) => (
            <Line key={event.number} event={event} />
          ))}
        </ol>
      )}
      {page?.next !== undefined && (
        <Button size="small" className="w-full" aria-disabled={reading} onClick={() => read(page.next)}>
          older
        </Button>
      )}
    </div>
  );
}

function Line({ event }: { event: AuditEvent }) {
  const now = useNow();
  const { text, warn } = auditWords(event);
  return (
    <li className="flex items-start gap-2 py-2 text-sm leading-5">
      <Icon
        name={warn ? "alert" : "check"}
        className={classNames("mt-0.5 size-4", warn ? "text-warn" : "text-muted")}
      />
      <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        <span className="font-medium">{event.device?.name || "somebody"}</span> {text}
        <span className="block text-muted text-xs" title={new Date(event.at).toLocaleString("en-GB")}>
          {event.address
            ? `${relativeTime(event.at, now)} · from ${event.address}`
            : relativeTime(event.at, now)}
        </span>
      </p>
    </li>
  );
}
