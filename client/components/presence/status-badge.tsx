"use client";

import { Button } from "@/components/ui/button";
import { useNow } from "@/components/ui/use-now";
import { classNames } from "@/lib/class-names";
import { statusWords } from "@/lib/status-words";
import type { Status } from "@/sync/types";

const tones = {
  good: "bg-good-soft text-good",
  busy: "bg-accent-soft text-accent-strong",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
} as const;

const dots = {
  good: "bg-good-dot",
  busy: "bg-accent animate-breathe",
  warn: "bg-warn",
  bad: "bg-bad",
} as const;

/** Which way the changes come: a person who asks why it is slower behind a proxy finds it here. */
const transportWords = { websocket: "by WebSocket", sse: "by event stream" } as const;

interface StatusBadgeProps {
  status: Status;
  /** Edits not yet sent. */
  waiting: number;
  onRejoin: () => void;
}

/**
 * Where the connection stands. Only the words are in the live region; the seconds
 * to the next try would be read out one by one.
 */
export function StatusBadge({ status, waiting, onRejoin }: StatusBadgeProps) {
  const { label, tone } = statusWords(status, waiting);
  return (
    <div className="flex min-h-9 items-center gap-2 whitespace-nowrap">
      <p
        role="status"
        className={classNames(
          "inline-flex items-center gap-2 rounded-full px-3 py-1 font-medium text-sm transition-colors",
          tones[tone],
        )}
      >
        <span aria-hidden="true" className={classNames("size-2 rounded-full", dots[tone])} />
        {/* In an element of its own: a browser's translator replaces text that has neighbours for good. */}
        <span>{label}</span>
      </p>
      {(status.state === "stopped" || status.state === "unreadable" || status.state === "offline") && (
        <Button size="small" onClick={onRejoin}>
          {status.state === "offline" ? "try now" : "rejoin"}
        </Button>
      )}
      {status.state === "offline" && <NextTry at={status.retryAt} />}
      {status.state === "connected" && (
        <span className="text-muted text-xs">{transportWords[status.transport]}</span>
      )}
    </div>
  );
}

function NextTry({ at }: { at: number }) {
  const seconds = Math.max(0, Math.ceil((at - useNow(1_000)) / 1_000));
  return (
    <span className="hidden text-muted text-sm tabular-nums sm:inline">
      {seconds > 0 ? `next try in ${seconds} s` : "trying…"}
    </span>
  );
}
