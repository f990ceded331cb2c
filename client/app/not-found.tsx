import type { Metadata } from "next";
import Link from "next/link";
import { buttonClass } from "@/components/ui/button";
import { Page } from "@/components/ui/page";

export const metadata: Metadata = { title: "Page not found" };

export default function NotFound() {
  return (
    <Page>
      <h1 className="font-semibold text-2xl tracking-tight">There is no page here</h1>
      <p className="mt-2 mb-6 text-muted">The address may be mistyped, or the page has moved.</p>
      <Link href="/" className={buttonClass()}>
        Back to your users
      </Link>
    </Page>
  );
}
