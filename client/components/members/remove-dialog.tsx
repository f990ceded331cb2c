"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { problemOf } from "@/lib/api-error";
import { membersApi } from "@/lib/browser-api";
import type { Device } from "@/sync/types";

interface RemoveDialogProps {
  device: Device;
  username: string;
  onClose: () => void;
}

/** Asks once more before another device loses these settings. */
export function RemoveDialog({ device, username, onClose }: RemoveDialogProps) {
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await membersApi.remove(username, device.id);
      onClose();
    } catch (thrown) {
      setFailure(problemOf(thrown).detail);
    }
    setBusy(false);
  };
  return (
    <Dialog title={`Remove ${device.name} from ${username}?`} onClose={onClose}>
      {failure && <Notice tone="bad">{failure}</Notice>}
      <p className="text-muted text-sm">
        It sees no more changes and makes none. The device itself stays signed in; a device of this account
        can join again.
      </p>
      <div className="mt-4 flex flex-wrap gap-2">
        <Button look="danger" aria-disabled={busy} onClick={remove}>
          remove
        </Button>
        <Button onClick={onClose}>cancel</Button>
      </div>
    </Dialog>
  );
}
