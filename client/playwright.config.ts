import { defineConfig, devices } from "@playwright/test";
import { chromium } from "./e2e/chromium";

/**
 * Browser tests against bin/social-server, which each test starts for itself
 * (`e2e/fixtures.ts`): `make test-browser` builds it first.
 */
export default defineConfig({
  testDir: "./e2e",
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  fullyParallel: true,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  use: {
    ...devices["Desktop Chrome"],
    launchOptions: chromium,
    trace: "retain-on-failure",
  },
});
