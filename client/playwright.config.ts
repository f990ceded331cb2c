import { defineConfig, devices } from "@playwright/test";
import { chromium } from "./e2e/chromium";

/**
 * Browser tests against bin/social-server, which each test starts for itself
 * (`e2e/fixtures.ts`): `make test-browser` builds it first.
 */
export default defineConfig({
  testDir: "./e2e",
  forbidOnly: Boolean(process.env.CI),
  // A machine that stands still for seconds is no defect of ours; what passes only then is called flaky, aloud.
  retries: process.env.CI ? 1 : 0,
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
