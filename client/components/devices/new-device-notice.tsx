"use client";

import Link from "next/link";
import { useState } from "react";
import { useAuth } from "@/components/session/use-auth";
import { buttonClass } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { useNow } from "@/components/ui/use-now";
import { readKnown, remember } from "@/lib/known-devices";
import { newDevices } from "@/lib/new-devices";
import { ownDevices, useOwnDevices } from "./use-own-devices";

const hourMs = 60 * 60 * 1000;

/** On every page of an account: a device was added, or logged in from a new place, and one can say "not me". */
export function NewDeviceNotice() {
  const auth = useAuth();
  return auth.state === "signed-in" ? <News /> : null;
}

function News() {
  const { devices, elsewhere } = useOwnDevices();
  const now = useNow();
  const [known, setKnown] = useState(readKnown);
  const [device, ...more] = newDevices(devices ?? [], known, elsewhere, now);
  if (!device) return null;
  const old = now - Date.parse(device.createdAt) > hourMs;
  const what = elsewhere.has(device.id) && old ? "logged in from a new place" : "added just now";

  const dismiss = () => {
    const all = [device, ...more].map(({ id }) => id);
    setKnown(new Set([...known, ...all]));
    remember(all);
    ownDevices.dismiss(all);
  };

  // Above the page and not in it: nothing may move under a finger that is dragging.
  return (
    <aside
      aria-label="new device"
      className="fixed right-3 bottom-3 left-3 z-2 flex items-center gap-2 rounded-card border border-line-strong bg-surface py-2 pr-2 pl-4 text-sm shadow-card sm:left-auto sm:min-w-72 sm:max-w-sm"
    >
      <p role="status" className="min-w-0 flex-1">
        <span className="block text-muted text-xs">
          {more.length > 0 ? `${what}, with ${more.length} more` : what}
        </span>
        <span translate="no" className="block truncate font-medium" title={device.name}>
          {device.name}
        </span>
      </p>
      <Link
        href={`/devices?revoke=${encodeURIComponent(device.id)}`}
        className={`${buttonClass({ look: "danger", size: "small" })} shrink-0`}
      >
        Not me
      </Link>
      <button
        type="button"
        aria-label="dismiss"
        title="That was me"
        className="grid size-8 shrink-0 place-items-center rounded-field text-muted transition-colors hover:bg-line/50 hover:text-ink"
        onClick={dismiss}
      >
        <Icon name="cross" />
      </button>
    </aside>
  );
}
