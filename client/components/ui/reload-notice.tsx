"use client";

import { Button } from "./button";

/** What is said of a part that cannot be loaded or drawn, with the way out. */
export function ReloadNotice({ children }: { children: string }) {
  return (
    <div role="alert" className="space-y-4">
      <p className="text-muted text-sm">{children}</p>
      <Button look="primary" onClick={() => window.location.reload()}>
        reload the page
      </Button>
    </div>
  );
}
