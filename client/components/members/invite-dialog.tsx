"use client";

import { QRCodeSVG } from "qrcode.react";
import { useCallback, useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { Countdown } from "@/components/ui/countdown";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import { problemOf } from "@/lib/api-error";
import { membersApi } from "@/lib/browser-api";
import { useSnapshot } from "@/sync";

/** A code, and the time it is good until, in ms since the epoch. */
interface Shown {
  readonly code: string;
  readonly link: string;
  readonly until: number;
}

/** A code for one device of whomever it is shown to: to be typed, or to be scanned. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const username = useSnapshot((snapshot) => snapshot.username);
  const [shown, setShown] = useState<Shown | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  const make = useCallback(async () => {
    setFailure(null);
    try {
      const { code, url, expiresIn } = await membersApi.invite(username);
      const link = new URL(url, window.location.origin).href;
      setShown({ code, link, until: Date.now() + expiresIn * 1000 });
    } catch (thrown) {
      setFailure(problemOf(thrown).detail);
    }
  }, [username]);

  useEffect(() => {
    void make();
  }, [make]);

  return (
    <Dialog title={`Invite a device to ${username}`} onClose={onClose}>
      {failure && <Notice tone="bad">{failure}</Notice>}
      {!shown && !failure && <Skeleton className="h-72" />}
      {shown && (
        <div className="flex flex-col items-center gap-4 text-center">
          {/* White around and below it in either theme: cameras read dark on light. */}
          <div className="rounded-field bg-white p-3">
            <QRCodeSVG value={shown.link} size={184} title="QR code of the invitation" className="block" />
          </div>
          <p className="select-all font-mono font-semibold text-3xl tracking-wider">{shown.code}</p>
          <p className="text-muted text-sm">
            Scan it, or type it under “invitation code” on the other device. It works once.
            <span className="block">
              <Countdown until={shown.until} />
            </span>
          </p>
        </div>
      )}
      <div className="mt-4 flex flex-wrap justify-center gap-2">
        <Button onClick={make}>new code</Button>
        <Button onClick={onClose}>done</Button>
      </div>
    </Dialog>
  );
}
