"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Later } from "@/components/ui/later";

/** Opens a code that lets one device in. The dialog and the drawing of the code are loaded only by those who invite. */
export function InviteButton() {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <Button size="small" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        invite
      </Button>
      {open && (
        <Later
          load={() => import("./invite-dialog").then((module) => module.InviteDialog)}
          props={{ onClose: close }}
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
