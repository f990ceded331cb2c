import { Suspense } from "react";
import { RequireSession } from "@/components/session/require-session";
import { Skeleton } from "@/components/ui/skeleton";
import { InvitationForm } from "./invitation-form";

/** Where a scanned invitation leads: signed in first, then the code that is filled in already. */
export function InvitationView() {
  const waiting = <Skeleton className="h-32" />;
  return (
    <Suspense fallback={waiting}>
      <RequireSession waiting={waiting}>
        <InvitationForm />
      </RequireSession>
    </Suspense>
  );
}
