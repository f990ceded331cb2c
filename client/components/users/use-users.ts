"use client";

import { useCallback, useEffect, useState } from "react";
import { problemOf } from "@/lib/api-error";
import type { User } from "@/lib/api-shapes";
import type { Problem } from "@/lib/auth-types";
import { api } from "@/lib/browser-api";
import { browserEnvironment } from "@/sync/environment";

const refreshEvery = 4_000;

interface Users {
  /** Null until the first answer. */
  readonly users: readonly User[] | null;
  /** Why the list could not be refreshed; the last known one stays. */
  readonly problem: Problem | null;
}

/**
 * The users this device may join. Asked again every few seconds while the page is
 * seen and whenever it comes back, so that a user made on another device turns up.
 */
export function useUsers(): Users {
  const [users, setUsers] = useState<readonly User[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  const refresh = useCallback(async (): Promise<void> => {
    if (document.visibilityState !== "visible") return;
    try {
      setUsers(await api.users());
      setProblem(null);
    } catch (thrown) {
      setProblem(problemOf(thrown));
    }
  }, []);

  useEffect(() => {
    void refresh();
    const timer = setInterval(refresh, refreshEvery);
    const forgetWake = browserEnvironment.onWake(refresh);
    return () => {
      clearInterval(timer);
      forgetWake();
    };
  }, [refresh]);

  return { users, problem };
}
