import { type ReactNode, Suspense } from "react";
import { RequireSession } from "@/components/session/require-session";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { ConnectForm } from "./connect-form";
import { JoinList, UserCardsSkeleton } from "./join-list";

/** Step three: connect a new user, or join one from this device too. */
export function UsersView() {
  const waiting = <Layout form={<Skeleton className="h-[8.625rem]" />} list={<UserCardsSkeleton />} />;
  return (
    <Suspense fallback={waiting}>
      <RequireSession waiting={waiting}>
        <Layout form={<ConnectForm />} list={<JoinList />} />
      </RequireSession>
    </Suspense>
  );
}

function Layout({ form, list }: { form: ReactNode; list: ReactNode }) {
  return (
    <div className="grid items-start gap-8 lg:grid-cols-[minmax(0,22rem)_minmax(0,1fr)] lg:gap-10">
      <Panel title="connect a new user">{form}</Panel>
      <section aria-labelledby="join-title">
        <h2 id="join-title" className="mb-4 font-semibold text-base tracking-tight lg:pt-6">
          join to user
        </h2>
        {list}
      </section>
    </div>
  );
}
