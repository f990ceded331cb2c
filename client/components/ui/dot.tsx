import { classNames } from "@/lib/class-names";

/** Green for online, hollow otherwise. Words always stand beside it. */
export function Dot({ on }: { on: boolean }) {
  return (
    <span
      aria-hidden="true"
      className={classNames(
        "size-2.5 shrink-0 rounded-full",
        on ? "bg-good-dot" : "border-2 border-line-strong",
      )}
    />
  );
}
