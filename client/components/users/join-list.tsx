"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import { problemOf } from "@/lib/api-error";
import { api } from "@/lib/browser-api";
import { userPath } from "@/lib/next-path";
import { useUsers } from "./use-users";
import { UserCard } from "./user-card";

/** A card per user this device may join, or what to do when there is none. */
export function JoinList() {
  const router = useRouter();
  const { users, problem } = useUsers();
  const [joining, setJoining] = useState<string | null>(null);
  const [note, setNote] = useState<string | null>(null);

  const join = async (username: string) => {
    if (joining !== null) return;
    setJoining(username);
    setNote(null);
    try {
      if (await api.join(username)) router.push(userPath(username));
      else setNote(`${username} was asked. A device that is a member has to let this one in.`);
    } catch (thrown) {
      setNote(problemOf(thrown).detail);
    }
    setJoining(null);
  };

  return (
    <div className="space-y-4">
      {(note ?? problem) && <Notice tone="warn">{note ?? problem?.detail}</Notice>}
      {users === null && <UserCardsSkeleton />}
      {users?.length === 0 && (
        <p className="rounded-card border border-line-strong border-dashed px-5 py-8 text-center text-muted">
          No user to join yet. Connect one with the form, or register this device with the e-mail of your
          other devices; their users then appear here.
        </p>
      )}
      {users && users.length > 0 && (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(17rem,100%),1fr))] gap-3">
          {users.map((user) => (
            <UserCard key={user.username} user={user} joining={joining === user.username} onJoin={join} />
          ))}
        </ul>
      )}
    </div>
  );
}

/** The shape of the cards before they are known. */
export function UserCardsSkeleton() {
  return (
    <div className="grid grid-cols-[repeat(auto-fill,minmax(min(17rem,100%),1fr))] gap-3">
      <Skeleton className="h-20 rounded-card" />
      <Skeleton className="h-20 rounded-card" />
    </div>
  );
}
