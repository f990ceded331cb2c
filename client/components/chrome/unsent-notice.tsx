"use client";

import { useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { Notice } from "@/components/ui/notice";

/** Says that a form was submitted before the script ran. The server has marked the address, and this removes the mark. */
export function UnsentNotice() {
  const marked = useSearchParams().has("unsent");
  const [unsent, setUnsent] = useState(false);

  useEffect(() => {
    if (!marked) return;
    setUnsent(true);
    const address = new URL(window.location.href);
    address.searchParams.delete("unsent");
    window.history.replaceState(null, "", address);
  }, [marked]);

  if (!unsent) return null;
  return (
    <div className="mb-6">
      <Notice tone="warn">The page was still loading, so nothing was sent. Fill the form in again.</Notice>
    </div>
  );
}
