import type { ReactNode } from "react";
import { classNames } from "@/lib/class-names";

const tones = {
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  plain: "bg-accent-soft text-ink",
} as const;

/** A sentence that needs to be seen. A bad one is announced at once, the others when there is a pause. */
export function Notice({ tone = "plain", children }: { tone?: keyof typeof tones; children: ReactNode }) {
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      className={classNames("rounded-field px-3.5 py-2.5 text-sm", tones[tone])}
    >
      {children}
    </div>
  );
}
