"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { useEffect } from "react";
import { userPath } from "@/lib/next-path";
import { useConnection, useSnapshot } from "@/sync";

/** Puts the user's name as the server spells it into the address: what is kept here is kept under that name. */
export function useSpelling(): void {
  const router = useRouter();
  const asked = useSearchParams().get("user");
  const { status, waiting } = useConnection();
  const username = useSnapshot((snapshot) => snapshot.username);
  const settled = status.state === "connected" && waiting === 0;
  // Any other name is one that is about to be opened.
  const respelled = asked !== username && fold(asked) === fold(username);

  useEffect(() => {
    if (settled && respelled) router.replace(userPath(username));
  }, [settled, respelled, username, router]);
}

function fold(name: string | null): string {
  return (name ?? "").normalize().trim().toLowerCase();
}
