import { test as base, expect } from "@playwright/test";
import { Device } from "./device";
import { Faults } from "./faults";
import { Server } from "./server";

interface Fixtures {
  /** Variables of the server's environment, for `test.use`. */
  environment: Record<string, string>;
  /** A server of this test's own, with no data yet. It must end with exit code 0. */
  server: Server;
  /** What no page may have: console errors, uncaught errors, CSP violations. Checked when the test ends. */
  faults: Faults;
  /** Opens a browser for one device; `origin` is where it finds the server. */
  device: (name: string, origin?: string) => Promise<Device>;
}

export const test = base.extend<Fixtures>({
  environment: [{}, { option: true }],

  server: async ({ environment }, use, info) => {
    const server = await Server.start(environment);
    await use(server);
    const code = await server.remove();
    if (info.status !== info.expectedStatus) await info.attach("server", { body: server.output });
    expect(code, "exit code after SIGTERM").toBe(0);
  },

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures needed from it
  faults: async ({}, use) => {
    const faults = new Faults();
    await use(faults);
    expect(faults.unexpected(), "errors no person would have seen").toEqual([]);
  },

  device: async ({ browser, server, faults, contextOptions }, use) => {
    const opened: Device[] = [];
    await use(async (name, origin = server.origin) => {
      const context = await browser.newContext(contextOptions);
      context.on("page", (page) => faults.watch(page, name));
      const device = new Device(name, context, await context.newPage(), origin);
      opened.push(device);
      return device;
    });
    for (const { context } of opened) await context.close();
  },
});

export { expect };
