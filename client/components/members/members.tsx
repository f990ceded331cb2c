"use client";

import { useEffect, useState } from "react";
import { ownDevices } from "@/components/devices/use-own-devices";
import { DeviceList } from "@/components/presence/device-list";
import { api } from "@/lib/browser-api";
import { useSnapshot } from "@/sync";
import type { DevicePresence } from "@/sync/types";
import { RemoveDialog } from "./remove-dialog";

interface MembersProps {
  devices: readonly DevicePresence[];
  live: boolean;
}

/** Who is a member of the open user; its owners may remove the others. */
export function Members({ devices, live }: MembersProps) {
  const username = useSnapshot((snapshot) => snapshot.username);
  const owner = useOwner(username, live);
  const [leaving, setLeaving] = useState<DevicePresence | null>(null);

  // A new member may be a new device of the account: "not me" should not wait for the next look.
  const count = devices.length;
  useEffect(() => {
    if (count > 0) void ownDevices.refresh();
  }, [count]);

  return (
    <>
      <DeviceList devices={devices} live={live} onRemove={owner && live ? setLeaving : undefined} />
      {leaving && <RemoveDialog device={leaving} username={username} onClose={() => setLeaving(null)} />}
    </>
  );
}

/** Whether the user is of this device's account; no, until it is known. */
function useOwner(username: string, live: boolean): boolean {
  const [owner, setOwner] = useState(false);
  useEffect(() => {
    if (!live) return;
    let gone = false;
    api.users().then(
      (users) => {
        if (!gone) setOwner(users.some((user) => user.username === username && user.owner));
      },
      () => {}, // asked again with the next connection
    );
    return () => {
      gone = true;
    };
  }, [username, live]);
  return owner;
}
