"use client";

import { Disclosure } from "@/components/ui/disclosure";
import { Later } from "@/components/ui/later";
import { Skeleton } from "@/components/ui/skeleton";
import { useSnapshot } from "@/sync";

/** The current state as JSON, with the revision and the device behind each value. Closed, and not loaded, until somebody opens it. */
export function Inspector() {
  const revision = useSnapshot((snapshot) => snapshot.revision);
  return (
    <Disclosure title="Live state" aside={`revision ${revision}`}>
      <Later
        load={() => import("./state-text").then((module) => module.StateText)}
        props={{}}
        waiting={<Skeleton className="m-4 h-32" />}
        frame={(notice) => <div className="border-line border-t px-4 py-3 sm:px-6">{notice}</div>}
      />
    </Disclosure>
  );
}
