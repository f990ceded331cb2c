"use client";

import { useNow } from "./use-now";

/** "9:58 left": never in a live region, or it would be read out second by second. */
export function Countdown({ until }: { until: number }) {
  const seconds = Math.max(0, Math.round((until - useNow(1_000)) / 1_000));
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return <span className="tabular-nums">{seconds > 0 ? `${text} left` : "expired"}</span>;
}
