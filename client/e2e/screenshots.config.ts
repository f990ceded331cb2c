import { defineConfig } from "@playwright/test";
import tests from "../playwright.config";

/** `make screenshots`: the pictures in img/, taken from the running program. */
export default defineConfig(tests, { testDir: ".", testMatch: "screenshots.ts", workers: 1 });
