"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { InviteButton } from "@/components/members/invite-button";
import { StatusBadge } from "@/components/presence/status-badge";
import { Button } from "@/components/ui/button";
import { problemOf } from "@/lib/api-error";
import { api } from "@/lib/browser-api";
import { loginPath, userPath } from "@/lib/next-path";
import { rejoinBy } from "@/lib/status-words";
import { useConnection, useSettingsClient, useSnapshot } from "@/sync";

/** Whose settings these are, how the connection stands, and the ways in and out. */
export function DemoHeader() {
  const client = useSettingsClient();
  const { status, waiting } = useConnection();
  const username = useSnapshot((snapshot) => snapshot.username);
  const router = useRouter();
  const [problem, setProblem] = useState<string | null>(null);

  const attempt = async (what: () => Promise<unknown>) => {
    setProblem(null);
    try {
      await what();
    } catch (thrown) {
      setProblem(problemOf(thrown).detail);
    }
  };

  const disjoin = () =>
    attempt(async () => {
      await api.leave(username);
      client.stop();
      router.push("/");
    });

  const rejoin = () =>
    attempt(async () => {
      if (status.state === "unreadable") return window.location.reload();
      if (status.state !== "stopped") return client.reconnect();
      switch (rejoinBy(status.reason)) {
        case "log-in":
          return router.push(loginPath(userPath(username)));
        case "join":
          await api.join(username);
          return client.reconnect();
        case "reload":
          return window.location.reload();
        case "reconnect":
          return client.reconnect();
      }
    });

  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-2">
      <p className="min-w-0 flex-1 truncate text-muted sm:flex-none">
        user <span className="font-medium text-ink">{username}</span>
      </p>
      <div className="order-last w-full sm:order-none sm:w-auto">
        <StatusBadge status={status} waiting={waiting} onRejoin={rejoin} />
      </div>
      <div className="flex gap-2 sm:ml-auto">
        <InviteButton />
        <Button size="small" onClick={disjoin}>
          disjoin
        </Button>
      </div>
      {problem && (
        <p role="alert" className="order-last w-full text-bad text-sm">
          {problem}
        </p>
      )}
    </div>
  );
}
