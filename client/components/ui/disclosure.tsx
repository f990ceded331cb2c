"use client";

import { type ReactNode, useState } from "react";
import { Icon } from "./icon";

interface DisclosureProps {
  title: string;
  /** At the right end of the line that opens it. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A card that is closed until somebody wants it; what is in it is made only then. */
export function Disclosure({ title, aside, children }: DisclosureProps) {
  const [open, setOpen] = useState(false);
  return (
    <details
      className="group rounded-card border border-line bg-surface shadow-card"
      onToggle={(event) => {
        // A disclosure inside this one tells its parents too.
        if (event.target === event.currentTarget) setOpen(event.currentTarget.open);
      }}
    >
      <summary className="flex min-h-12 list-none items-center gap-2 rounded-card px-4 font-medium text-sm sm:px-6 [&::-webkit-details-marker]:hidden">
        <Icon name="chevron" className="size-4 text-muted transition-transform group-open:rotate-90" />
        <span>{title}</span>
        <span className="ml-auto font-normal text-muted tabular-nums">{aside}</span>
      </summary>
      {open && children}
    </details>
  );
}
