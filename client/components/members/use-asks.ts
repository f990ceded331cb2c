"use client";

import { useCallback, useEffect, useState } from "react";
import { membersApi } from "@/lib/browser-api";
import type { Ask } from "@/lib/members-api";
import { useSnapshot } from "@/sync";

interface Asks {
  readonly asks: readonly Ask[];
  readonly refresh: () => Promise<void>;
}

const none: readonly Ask[] = [];

/** Who waits to be let in. Read when the page is connected, and whenever the connection says that it changed. */
export function useAsks(): Asks {
  const username = useSnapshot((snapshot) => snapshot.username);
  const connected = useSnapshot((snapshot) => snapshot.status.state === "connected");
  const asking = useSnapshot((snapshot) => snapshot.asking);
  const [asks, setAsks] = useState(none);

  const refresh = useCallback(async () => {
    // What cannot be read now is read with the next connection.
    setAsks(await membersApi.asks(username).catch(() => none));
  }, [username]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: who asks is the reason to read again
  useEffect(() => {
    if (connected) void refresh();
  }, [refresh, connected, asking]);

  return { asks: connected ? asks : none, refresh };
}
