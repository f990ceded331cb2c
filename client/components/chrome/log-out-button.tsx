"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { authSession } from "@/lib/auth-session";

/** Ends this device's session, here and on the server, then shows the way back in. */
export function LogOutButton() {
  const router = useRouter();
  const [leaving, setLeaving] = useState(false);

  const leave = async () => {
    setLeaving(true);
    await authSession.signOut();
    router.replace("/login");
  };

  return (
    <Button
      look="quiet"
      size="small"
      className="min-h-10 whitespace-nowrap px-2 sm:min-h-9"
      disabled={leaving}
      onClick={leave}
    >
      log out
    </Button>
  );
}
