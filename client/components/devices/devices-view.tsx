"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { Suspense, useState } from "react";
import { RequireSession } from "@/components/session/require-session";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import type { OwnDevice } from "@/lib/account-shapes";
import { AuditLog } from "./audit-log";
import { DeviceRow } from "./device-row";
import { PasswordForm } from "./password-form";
import { RevokeDialog, type RevokeTarget } from "./revoke-dialog";
import { useOwnDevices } from "./use-own-devices";

/** The account: its devices and who may stay, its password, and what happened. */
export function DevicesView() {
  const waiting = <Skeleton className="h-64 rounded-card" />;
  return (
    <Suspense fallback={waiting}>
      <RequireSession waiting={waiting}>
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,22rem)] lg:gap-6">
          <div className="space-y-5 lg:space-y-6">
            <DevicesPanel />
            <Panel title="what happened">
              <AuditLog />
            </Panel>
          </div>
          <div className="space-y-5 lg:space-y-6">
            <Panel title="change the password">
              <PasswordForm />
            </Panel>
            <DeletionPanel />
          </div>
        </div>
      </RequireSession>
    </Suspense>
  );
}

function DeletionPanel() {
  const [asking, setAsking] = useState(false);
  return (
    <Panel title="delete the account">
      <p className="mb-4 text-muted text-sm">
        Export the settings you want to keep first: what is deleted cannot be brought back.
      </p>
      <Button look="danger" onClick={() => setAsking(true)}>
        delete the account
      </Button>
      {asking && <RevokeDialog target={{ is: "account" }} onClose={() => setAsking(false)} />}
    </Panel>
  );
}

function DevicesPanel() {
  const { devices, problem } = useOwnDevices();
  const [chosen, setChosen] = useState<RevokeTarget | null>(null);
  const router = useRouter();
  const named = useSearchParams().get("revoke"); // "not me", on another page
  const suspect = devices?.find(({ id, current }) => id === named && !current);
  const target = chosen ?? (suspect ? revokeOne(suspect) : null);
  const close = () => {
    setChosen(null);
    if (named) router.replace("/devices");
  };
  const others = devices?.some(({ current }) => !current);
  return (
    <Panel
      title="devices"
      aside={
        others && (
          <Button size="small" look="danger" onClick={() => setChosen({ is: "others" })}>
            revoke all others
          </Button>
        )
      }
    >
      {problem && <Notice tone="warn">{problem.detail}</Notice>}
      {!devices && !problem && <Skeleton className="h-32" />}
      {devices && (
        <ul className="-my-3 divide-y divide-line">
          {inOrder(devices).map((device) => (
            <DeviceRow key={device.id} device={device} onRevoke={() => setChosen(revokeOne(device))} />
          ))}
        </ul>
      )}
      {target && <RevokeDialog target={target} onClose={close} />}
    </Panel>
  );
}

function revokeOne({ id, name }: OwnDevice): RevokeTarget {
  return { is: "one", id, name };
}

/** This device first, then those online, then by when they were last here. */
function inOrder(devices: readonly OwnDevice[]): OwnDevice[] {
  const rank = (device: OwnDevice) => (device.current ? 0 : device.online ? 1 : 2);
  return [...devices].sort(
    (a, b) =>
      rank(a) - rank(b) || (b.lastSeen ?? "").localeCompare(a.lastSeen ?? "") || a.name.localeCompare(b.name),
  );
}
