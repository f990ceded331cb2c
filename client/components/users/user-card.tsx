"use client";

import { useId } from "react";
import { Button } from "@/components/ui/button";
import { Dot } from "@/components/ui/dot";
import type { User } from "@/lib/api-shapes";

interface UserCardProps {
  user: User;
  /** This card's join is on its way. */
  joining: boolean;
  onJoin: (username: string) => void;
}

/** One user this device may join; joining one already joined just opens it. */
export function UserCard({ user, joining, onJoin }: UserCardProps) {
  const nameId = useId();
  const online = onlineText(user.online);
  return (
    <li className="flex items-center gap-3 rounded-card border border-line bg-surface p-4 shadow-card">
      <div className="min-w-0 flex-1">
        <h3 id={nameId} translate="no" className="truncate font-semibold" title={user.username}>
          {user.username}
        </h3>
        <p className="mt-0.5 flex items-center gap-2 text-muted text-sm">
          <Dot on={user.online > 0} />
          <span className="truncate">{user.joined ? `${online} · joined` : online}</span>
        </p>
      </div>
      <Button
        look="plain"
        aria-describedby={nameId}
        aria-disabled={joining}
        onClick={() => onJoin(user.username)}
      >
        join
      </Button>
    </li>
  );
}

function onlineText(devices: number): string {
  if (devices === 0) return "nobody online";
  return devices === 1 ? "1 device online" : `${devices} devices online`;
}
