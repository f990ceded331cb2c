"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dot } from "@/components/ui/dot";
import { Icon } from "@/components/ui/icon";
import { useNow } from "@/components/ui/use-now";
import type { OwnDevice } from "@/lib/account-shapes";
import { relativeTime } from "@/lib/relative-time";
import { RenameForm } from "./rename-form";

interface DeviceRowProps {
  device: OwnDevice;
  onRevoke: () => void;
}

/** One device of the account: what it is, where it was, and whether it may stay. */
export function DeviceRow({ device, onRevoke }: DeviceRowProps) {
  const [renaming, setRenaming] = useState(false);
  const now = useNow();
  const nameId = `device-${device.id}`;
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 py-3">
      <span className="flex h-6 items-center">
        <Dot on={device.online || device.current} />
      </span>
      <div className="min-w-0 flex-1">
        {renaming ? (
          <RenameForm device={device} onDone={() => setRenaming(false)} />
        ) : (
          <div className="flex items-center gap-1">
            <p id={nameId} translate="no" className="truncate font-medium" title={device.name}>
              {device.name}
            </p>
            <button
              type="button"
              title="Rename"
              aria-describedby={nameId}
              className="grid size-7 shrink-0 place-items-center rounded-field text-muted transition-colors hover:bg-line/50 hover:text-ink"
              onClick={() => setRenaming(true)}
            >
              <Icon name="pencil" className="size-3.5" />
              <span className="sr-only">rename</span>
            </button>
          </div>
        )}
        <p className="text-muted text-sm">
          {`${device.platform || "unknown platform"} · ${presence(device, now)}`}
        </p>
        <p className="text-muted text-sm [overflow-wrap:anywhere]">
          {`${joinedText(device.users ?? [])} · registered ${relativeTime(device.createdAt, now)}`}
        </p>
      </div>
      {device.current ? (
        <span className="mt-0.5 shrink-0 rounded-full bg-accent-soft px-2 py-0.5 font-medium text-accent-strong text-xs">
          this device
        </span>
      ) : (
        <Button size="small" look="danger" aria-describedby={nameId} onClick={onRevoke}>
          revoke
        </Button>
      )}
    </li>
  );
}

function presence({ current, online, lastSeen }: OwnDevice, now: number): string {
  if (current) return "here now";
  if (online) return "online";
  return lastSeen ? `last seen ${relativeTime(lastSeen, now)}` : "never seen";
}

function joinedText(users: readonly string[]): string {
  return users.length === 0 ? "joined no user" : `joined ${users.join(", ")}`;
}
