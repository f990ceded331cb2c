import type { Metadata } from "next";
import { Page } from "@/components/ui/page";
import { UsersView } from "@/components/users/users-view";

export const metadata: Metadata = { title: "Users" };

export default function HomePage() {
  return (
    <Page>
      <h1 className="font-semibold text-2xl tracking-tight">Your users</h1>
      <p className="mt-1.5 mb-8 max-w-2xl text-muted">
        A user is a set of settings that several devices share. Whatever one of them changes, the others have
        at once.
      </p>
      <UsersView />
    </Page>
  );
}
