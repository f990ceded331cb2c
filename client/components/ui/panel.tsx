import { type ReactNode, useId } from "react";
import { classNames } from "@/lib/class-names";

interface PanelProps {
  title: string;
  /** Beside the title, at the right. */
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A titled card, and a landmark named after its title. */
export function Panel({ title, aside, className, children }: PanelProps) {
  const titleId = useId();
  return (
    <section
      aria-labelledby={titleId}
      className={classNames("rounded-card border border-line bg-surface p-4 shadow-card sm:p-6", className)}
    >
      <div className="mb-4 flex items-baseline justify-between gap-3">
        <h2 id={titleId} className="font-semibold text-base tracking-tight">
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
