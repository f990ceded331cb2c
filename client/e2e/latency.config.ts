import { defineConfig } from "@playwright/test";
import tests from "../playwright.config";

/** `make bench-browser`: how soon a slider's step is seen on the other device. */
export default defineConfig(tests, { testDir: ".", testMatch: "latency.ts", workers: 1, retries: 0 });
