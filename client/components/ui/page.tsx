import type { ReactNode } from "react";

/** The one `main` of a page: where the skip link leads. */
export function Page({ children }: { children: ReactNode }) {
  return (
    <main
      id="main"
      tabIndex={-1}
      className="mx-auto w-full max-w-6xl flex-1 px-4 pt-4 pb-16 outline-none sm:px-6 sm:pt-6"
    >
      {children}
    </main>
  );
}
