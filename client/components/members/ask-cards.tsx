"use client";

import { useSnapshot } from "@/sync";
import { AskCard } from "./ask-card";
import { useAsks } from "./use-asks";

/** Everybody who waits at the door of the open user. */
export function AskCards() {
  const username = useSnapshot((snapshot) => snapshot.username);
  const { asks, refresh } = useAsks();
  return (
    <div role="status" className="contents">
      {asks.map((ask) => (
        <AskCard key={ask.id} ask={ask} username={username} onDone={refresh} />
      ))}
    </div>
  );
}
