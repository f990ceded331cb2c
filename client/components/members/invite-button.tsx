"use client";

import { type ComponentType, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ReloadNotice } from "@/components/ui/reload-notice";

type InviteDialog = ComponentType<{ onClose: () => void }>;

/** Opens a code that lets one device in. The dialog and the drawing of the code are fetched only by those who invite. */
export function InviteButton() {
  const [open, setOpen] = useState<InviteDialog | "failed" | null>(null);
  const Opened = open === "failed" ? null : open;
  const close = () => setOpen(null);

  const invite = async () => {
    // By hand: a lazy component that cannot be loaded replaces the whole page by an error.
    const loaded = await import("./invite-dialog").catch(() => null);
    setOpen(() => loaded?.InviteDialog ?? "failed");
  };

  return (
    <>
      <Button size="small" aria-haspopup="dialog" onClick={invite}>
        invite
      </Button>
      {open === "failed" && (
        <Dialog title="This cannot be shown now" onClose={close}>
          <ReloadNotice>
            A part of the page could not be loaded: there is no connection, or the server was updated since
            this page was loaded. Reload it once there is a connection. Changes that were not sent are kept on
            this device.
          </ReloadNotice>
        </Dialog>
      )}
      {Opened && <Opened onClose={close} />}
    </>
  );
}
