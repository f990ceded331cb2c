"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { type ReactNode, useEffect } from "react";
import { Notice } from "@/components/ui/notice";
import { loginPath, revokedPath } from "@/lib/next-path";
import { useAuth } from "./use-auth";

/**
 * Shows its children to a signed-in device, and sends any other to log in and
 * back. While nobody knows yet, `waiting` keeps the page's shape. A known device
 * whose server is away goes through: its settings are kept here too.
 */
export function RequireSession({ waiting, children }: { waiting: ReactNode; children: ReactNode }) {
  const auth = useAuth();
  const router = useRouter();
  const path = usePathname();
  const query = useSearchParams().toString();
  const here = query ? `${path}?${query}` : path;
  const signedOut = auth.state === "signed-out";
  const revoked = signedOut && auth.revoked === true;

  useEffect(() => {
    if (signedOut) router.replace(revoked ? revokedPath : loginPath(here));
  }, [signedOut, revoked, here, router]);

  switch (auth.state) {
    case "signed-in":
      return children;
    case "unreachable":
      if (auth.device) return children;
      return (
        <>
          <div className="mb-6">
            <Notice tone="warn">The server cannot be reached. Trying again…</Notice>
          </div>
          {waiting}
        </>
      );
    case "starting":
    case "signed-out":
      return waiting;
  }
}
