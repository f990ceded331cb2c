import { type ReactNode, Suspense } from "react";
import { RequireSession } from "@/components/session/require-session";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { AskForm } from "./ask-form";
import { ConnectForm } from "./connect-form";
import { InvitationForm } from "./invitation-form";
import { JoinList, UserCardsSkeleton } from "./join-list";

/** Step three: connect a new user, or join one from this device too. */
export function UsersView() {
  const waiting = (
    <Layout
      form={<Skeleton className="h-[8.625rem]" />}
      other={<Skeleton className="h-[18rem]" />}
      list={<UserCardsSkeleton />}
    />
  );
  return (
    <Suspense fallback={waiting}>
      <RequireSession waiting={waiting}>
        <Layout form={<ConnectForm />} other={<OtherUsers />} list={<JoinList />} />
      </RequireSession>
    </Suspense>
  );
}

/** The two ways to a user of another account. */
function OtherUsers() {
  return (
    <div className="space-y-5">
      <AskForm />
      <div className="border-line border-t pt-5">
        <InvitationForm />
      </div>
    </div>
  );
}

function Layout({ form, other, list }: { form: ReactNode; other: ReactNode; list: ReactNode }) {
  return (
    <div className="grid items-start gap-8 lg:grid-cols-[minmax(0,22rem)_minmax(0,1fr)] lg:gap-10">
      <div className="contents lg:block lg:space-y-6">
        <Panel title="connect a new user">{form}</Panel>
        <Panel title="somebody else's user" className="order-last">
          {other}
        </Panel>
      </div>
      <section aria-labelledby="join-title">
        <h2 id="join-title" className="mb-4 font-semibold text-base tracking-tight lg:pt-6">
          join to user
        </h2>
        {list}
      </section>
    </div>
  );
}
