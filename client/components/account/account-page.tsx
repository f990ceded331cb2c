import type { ReactNode } from "react";
import { Page } from "@/components/ui/page";

/** One narrow card with one form, as both account pages are. */
export function AccountPage({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <Page>
      <div className="mx-auto max-w-md">
        <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
        <p className="mt-1.5 mb-6 text-muted">{lead}</p>
        <div className="rounded-card border border-line bg-surface p-5 shadow-card sm:p-7">{children}</div>
      </div>
    </Page>
  );
}
