"use client";

import { useState } from "react";
import { Icon } from "@/components/ui/icon";
import type { FieldName } from "@/sync/types";
import { WhyDialog } from "./why-dialog";

/** Asks for the story of one field. */
export function WhyButton({ field, labelId }: { field: FieldName; labelId: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        title="Why is it so?"
        aria-describedby={labelId}
        aria-haspopup="dialog"
        className="-mr-1.5 grid size-7 shrink-0 place-items-center rounded-field text-muted transition-colors hover:bg-line/50 hover:text-ink"
        onClick={() => setOpen(true)}
      >
        <Icon name="question" />
        <span className="sr-only">why is it so</span>
      </button>
      {open && <WhyDialog field={field} onClose={() => setOpen(false)} />}
    </>
  );
}
