import { type ReactNode, Suspense } from "react";
import { UnsentNotice } from "@/components/chrome/unsent-notice";
import { Notice } from "./notice";

/** The one `main` of a page: where the skip link leads. */
export function Page({ children }: { children: ReactNode }) {
  return (
    <main
      id="main"
      tabIndex={-1}
      className="mx-auto w-full max-w-6xl flex-1 px-4 pt-4 pb-16 outline-none sm:px-6 sm:pt-6"
    >
      <noscript>
        <div className="mb-6">
          <Notice tone="warn">This page needs JavaScript. Without it, no form here can send anything.</Notice>
        </div>
      </noscript>
      <Suspense fallback={null}>
        <UnsentNotice />
      </Suspense>
      {children}
    </main>
  );
}
