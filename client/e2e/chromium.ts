import type { LaunchOptions } from "@playwright/test";

/**
 * How the machine's own Chromium is started: Playwright's build is a download of
 * its own. The rule about hosts is what keeps it from asking the network anything.
 */
export const chromium: LaunchOptions = {
  executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
  ],
};
