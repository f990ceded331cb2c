"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useAuth } from "@/components/session/use-auth";
import { classNames } from "@/lib/class-names";
import { LogOutButton } from "./log-out-button";
import { LogoMark } from "./logo-mark";
import { ThemeSwitch } from "./theme-switch";

/** The bar above every page: whose place this is, which device this is, and the way out. */
export function SiteHeader() {
  const auth = useAuth();
  const path = usePathname();
  const device = auth.state === "signed-in" || auth.state === "unreachable" ? auth.device : null;
  return (
    <header>
      <div className="mx-auto flex h-16 max-w-6xl items-center gap-1 px-4 sm:h-20 sm:gap-2 sm:px-6">
        <Link href="/" className="-ml-1 flex min-w-0 items-center gap-2.5 rounded-field p-1">
          <LogoMark />
          <span className="flex min-w-0 flex-col sm:flex-row sm:items-baseline sm:gap-2.5">
            {/* On a phone a signed-in device needs the room for its own name. */}
            <span
              className={classNames(
                "whitespace-nowrap font-semibold text-[0.9375rem] leading-5 tracking-tight",
                device && "sr-only sm:not-sr-only",
              )}
            >
              Social server
            </span>
            {device && (
              <span className="truncate text-muted text-xs leading-4 sm:text-sm">{device.name}</span>
            )}
          </span>
        </Link>
        <div className="flex-1" />
        {device && (
          <nav aria-label="main" className="flex items-center">
            <NavLink href="/" here={path === "/"}>
              Users
            </NavLink>
            <NavLink href="/devices" here={path === "/devices"}>
              Devices
            </NavLink>
          </nav>
        )}
        {device && <LogOutButton />}
        {/* Last, so that it stays where it is when the rest is known. */}
        <ThemeSwitch />
      </div>
    </header>
  );
}

function NavLink({ href, here, children }: { href: string; here: boolean; children: string }) {
  return (
    <Link
      href={href}
      aria-current={here ? "page" : undefined}
      className={classNames(
        "rounded-field px-1.5 py-2 font-medium text-sm transition-colors hover:bg-line/50 sm:px-2",
        here ? "text-ink" : "text-muted",
      )}
    >
      {children}
    </Link>
  );
}
