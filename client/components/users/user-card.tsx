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
  const online = user.online === 1 ? "1 device online" : `${user.online} devices online`;
  return (
    <li className="flex items-center gap-3 rounded-card border border-line bg-surface p-4 shadow-card">
      <div className="min-w-0 flex-1">
        <h3 id={nameId} className="truncate font-semibold" title={user.username}>
          {user.username}
        </h3>
        <p className="mt-0.5 flex items-center gap-2 text-muted text-sm">
          <Dot on={user.online > 0} />
          <span className="truncate">
            {user.online > 0 ? online : "nobody online"}
            {user.joined && " · joined"}
          </span>
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
