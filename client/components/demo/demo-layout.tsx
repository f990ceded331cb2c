import type { ReactNode } from "react";
import { Skeleton } from "@/components/ui/skeleton";

/**
 * Two columns where there is room for them. The forms come first, and on a phone
 * only what the side column marks with `order-first` stands above them: in two
 * columns it moves nothing that somebody may be dragging.
 */
export function DemoColumns({ main, side }: { main: ReactNode; side: ReactNode }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,22rem)] lg:gap-6">
      <div className="space-y-5 lg:space-y-6">{main}</div>
      <div className="contents lg:block lg:space-y-6">{side}</div>
    </div>
  );
}

/** The page's shape while its state is on its way. */
export function DemoSkeleton({ header = <Skeleton className="mb-4 h-9 w-56" /> }: { header?: ReactNode }) {
  return (
    <>
      {header}
      <DemoColumns
        main={
          <>
            <Skeleton className="h-[22.75rem] rounded-card" />
            <Skeleton className="h-[17.375rem] sm:h-[18.375rem] rounded-card" />
          </>
        }
        side={
          <>
            <Skeleton className="h-32 rounded-card" />
            <Skeleton className="h-12 rounded-card" />
            <Skeleton className="h-12 rounded-card" />
          </>
        }
      />
    </>
  );
}
