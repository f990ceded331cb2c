"use client";

import { useSnapshot } from "@/sync";
import { AskCard } from "./ask-card";
import { useAsks } from "./use-asks";

/** Everybody who waits at the door of the open user. */
export function AskCards() {
  const username = useSnapshot((snapshot) => snapshot.username);
  const { asks, refresh } = useAsks();
  return (
    // Always there, so that a screen reader hears of the first one too.
    <div role="status" className={asks.length > 0 ? "order-first space-y-5" : "sr-only"}>
      {asks.map((ask) => (
        <AskCard key={ask.id} ask={ask} username={username} onDone={refresh} />
      ))}
    </div>
  );
}
