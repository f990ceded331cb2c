import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL(".", import.meta.url)) } },
  test: {
    environment: "jsdom",
    setupFiles: ["./vitest.setup.ts"],
    include: ["{app,components,lib,sync}/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 30_000, // a machine that is busy with something else is no defect of ours
  },
});
