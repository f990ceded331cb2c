import "./globals.css";
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { SiteHeader } from "@/components/chrome/site-header";
import { NewDeviceNotice } from "@/components/devices/new-device-notice";
import { sans } from "./fonts";

export const metadata: Metadata = {
  title: { default: "Social server", template: "%s · Social server" },
  description: "Settings that follow you: change one on any device, and every other device has it.",
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#ffffff" },
    { media: "(prefers-color-scheme: dark)", color: "#15181d" },
  ],
};

/** What every page stands in. `theme.js` sets an attribute on `html` before React wakes, hence the suppressed warning. */
export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" className={sans.variable} suppressHydrationWarning>
      <head>
        {/* Not deferred: it must run before the first paint, or a dark page flashes white. */}
        <script src="/theme.js" />
      </head>
      <body className="flex min-h-dvh flex-col">
        <a
          href="#main"
          className="sr-only focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-10 focus:rounded-field focus:bg-surface focus:px-3 focus:py-2"
        >
          Skip to content
        </a>
        <SiteHeader />
        {children}
        <NewDeviceNotice />
      </body>
    </html>
  );
}
