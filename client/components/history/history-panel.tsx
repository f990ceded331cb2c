"use client";

import { Disclosure } from "@/components/ui/disclosure";
import { Later } from "@/components/ui/later";
import { Skeleton } from "@/components/ui/skeleton";

/** Who changed what, newest first, and the ways back. Closed, and not loaded, until somebody opens it. */
export function HistoryPanel() {
  return (
    <Disclosure title="History" aside="who changed what">
      <Later
        load={() => import("./history-list").then((module) => module.HistoryList)}
        props={{}}
        waiting={<Skeleton className="m-4 h-32" />}
        frame={(notice) => <div className="border-line border-t px-4 py-3 sm:px-6">{notice}</div>}
      />
    </Disclosure>
  );
}
