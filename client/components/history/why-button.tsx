"use client";

import { useState } from "react";
import { Dialog } from "@/components/ui/dialog";
import { Icon } from "@/components/ui/icon";
import { Later } from "@/components/ui/later";
import type { FieldName } from "@/sync/types";

/** Asks for the story of one field. */
export function WhyButton({ field, labelId }: { field: FieldName; labelId: string }) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
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
      {open && (
        <Later
          load={() => import("./why-dialog").then((module) => module.WhyDialog)}
          props={{ field, onClose: close }}
          frame={(notice) => (
            <Dialog title="This cannot be shown now" onClose={close}>
              {notice}
            </Dialog>
          )}
        />
      )}
    </>
  );
}
