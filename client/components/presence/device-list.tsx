"use client";

import { Dot } from "@/components/ui/dot";
import { Icon } from "@/components/ui/icon";
import { Panel } from "@/components/ui/panel";
import { useNow } from "@/components/ui/use-now";
import { classNames } from "@/lib/class-names";
import { fieldTitle } from "@/lib/demo-fields";
import { inListOrder } from "@/lib/receipt";
import { relativeTime } from "@/lib/relative-time";
import type { DevicePresence } from "@/sync/types";

interface DeviceListProps {
  devices: readonly DevicePresence[];
  /** Whether this is so now; otherwise it is what was known before the connection was lost. */
  live: boolean;
  /** Offered beside every other device; absent where this device may not. */
  onRemove?: ((device: DevicePresence) => void) | undefined;
}

/** Every member of the user: who is here, what they edit, and when the others were last seen. */
export function DeviceList({ devices, live, onRemove }: DeviceListProps) {
  const now = useNow();
  const online = devices.filter((device) => device.online).length;
  return (
    <Panel
      title="online device(s)"
      aside={
        <span className="text-muted text-sm tabular-nums">
          {live ? `${online} of ${devices.length}` : "not known now"}
        </span>
      }
    >
      <ul className="-my-2 divide-y divide-line">
        {inListOrder(devices).map((device) => (
          <li key={device.id} className="flex min-h-14 items-center gap-3 py-2">
            <Dot on={live && device.online} />
            <div className="min-w-0 flex-1">
              <p
                translate="no"
                className={classNames(
                  "truncate font-medium text-sm",
                  !(live && device.online) && "text-muted",
                )}
              >
                {device.name}
              </p>
              <p className="truncate text-muted text-xs">
                {live || !device.online ? doing(device, now) : "was online"}
              </p>
            </div>
            {device.self && (
              <span className="shrink-0 rounded-full bg-accent-soft px-2 py-0.5 font-medium text-accent-strong text-xs">
                this device
              </span>
            )}
            {!device.self && onRemove && (
              <button
                type="button"
                title="Remove from this user"
                className="-mr-1.5 grid size-8 shrink-0 place-items-center rounded-field text-muted transition-colors hover:bg-line/50 hover:text-bad"
                onClick={() => onRemove(device)}
              >
                <Icon name="cross" />
                <span className="sr-only">remove {device.name}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** What a device is doing, in a few words. */
function doing(device: DevicePresence, now: number): string {
  if (!device.online)
    return device.lastSeen ? `last seen ${relativeTime(device.lastSeen, now)}` : "never connected";
  const windows = device.sessions > 1 ? ` · ${device.sessions} windows` : "";
  return (device.focus ? `editing ${fieldTitle(device.focus)}` : "online") + windows;
}
