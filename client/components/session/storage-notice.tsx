"use client";

import { useSyncExternalStore } from "react";
import { Notice } from "@/components/ui/notice";
import { cookiesWork } from "@/sync/browser-storage";

const never = () => () => {};

/** Names what is blocked, where a log-in cannot outlive its page. */
export function StorageNotice() {
  const works = useSyncExternalStore(never, cookiesWork, () => true);
  if (works) return null;
  return (
    <Notice tone="warn">
      This browser blocks cookies and storage for this site. You stay logged in, and unsent changes are kept,
      only until this page is closed or loaded again.
    </Notice>
  );
}
