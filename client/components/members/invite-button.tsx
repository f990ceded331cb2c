"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/ui/button";

// The drawing of the code is fetched only by those who invite.
const InviteDialog = dynamic(() => import("./invite-dialog").then((module) => module.InviteDialog), {
  ssr: false,
});

/** Opens a code that lets one device in. */
export function InviteButton() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="small" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        invite
      </Button>
      {open && <InviteDialog onClose={() => setOpen(false)} />}
    </>
  );
}
