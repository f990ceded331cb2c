"use client";

import { useSyncExternalStore } from "react";
import { authSession } from "@/lib/auth-session";
import type { AuthState } from "@/lib/auth-types";

const starting: AuthState = { state: "starting" };

/** Whether this browser is signed in. Pages are built without knowing, hence "starting" there. */
export function useAuth(): AuthState {
  return useSyncExternalStore(authSession.subscribe, authSession.getSnapshot, () => starting);
}
