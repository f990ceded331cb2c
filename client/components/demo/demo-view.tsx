"use client";

import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { Suspense } from "react";
import { ownDevices } from "@/components/devices/use-own-devices";
import { RequireSession } from "@/components/session/require-session";
import { useAuth } from "@/components/session/use-auth";
import { Notice } from "@/components/ui/notice";
import { authSession } from "@/lib/auth-session";
import { SettingsProvider } from "@/sync";
import { DefaultsContext } from "./defaults";
import { Demo } from "./demo";
import { DemoSkeleton } from "./demo-layout";
import { useDefaults } from "./use-defaults";

/** Step four: the application of the user named in `?user=`. */
export function DemoView() {
  return (
    <Suspense fallback={<DemoSkeleton />}>
      <RequireSession waiting={<DemoSkeleton />}>
        <OpenedUser />
      </RequireSession>
    </Suspense>
  );
}

function OpenedUser() {
  const auth = useAuth();
  const defaults = useDefaults();
  const username = useSearchParams().get("user");
  const device = auth.state === "signed-in" || auth.state === "unreachable" ? auth.device : null;
  if (!username) {
    return (
      <Notice>
        No user is open.{" "}
        <Link href="/" className="font-medium text-accent underline underline-offset-4">
          Choose one
        </Link>
      </Notice>
    );
  }
  if (!defaults || !device) return <DemoSkeleton />;
  return (
    <SettingsProvider
      username={username}
      device={device}
      defaults={defaults}
      auth={authSession}
      onNotice={ownDevices.hear}
      fallback={<DemoSkeleton />}
    >
      <DefaultsContext value={defaults}>
        <Demo />
      </DefaultsContext>
    </SettingsProvider>
  );
}
