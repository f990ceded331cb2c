import { expect, test } from "vitest";
import type { Status } from "@/sync/types";
import { statusWords } from "./status-words";

test.each<[Status, number, string]>([
  [{ state: "connecting" }, 0, "connecting"],
  [{ state: "catching-up" }, 0, "catching up"],
  [{ state: "connected", transport: "websocket" }, 0, "connected"],
  [{ state: "offline", retryAt: 0 }, 0, "offline"],
  [{ state: "offline", retryAt: 0 }, 2, "offline with 2 waiting"],
  [{ state: "unreadable" }, 0, "not up to date"],
  [{ state: "stopped", reason: "signed-out" }, 0, "signed out"],
  [{ state: "stopped", reason: "revoked" }, 0, "signed out"],
  [{ state: "stopped", reason: "disjoined" }, 0, "disjoined"],
])("%j with %d waiting reads as %s", (status, waiting, label) => {
  expect(statusWords(status, waiting).label).toBe(label);
});

// Fault A2: every page said that it was too old, of which nobody knew anything.
test("no page asks for an update that nobody knows to be there", () => {
  for (const status of [{ state: "unreadable" }, { state: "stopped", reason: "rejected" }] as const)
    expect(statusWords(status, 0).detail).not.toMatch(/old for|update|newer|new version/);
});
