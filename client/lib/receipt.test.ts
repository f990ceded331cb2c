import { expect, test } from "vitest";
import type { DevicePresence, FieldView, Status } from "@/sync/types";
import { inListOrder, receiptText } from "./receipt";

function device(name: string, part: Partial<DevicePresence> = {}): DevicePresence {
  return {
    id: name,
    name,
    online: true,
    sessions: 1,
    lastSeen: null,
    focus: null,
    seen: 9,
    self: false,
    ...part,
  };
}

const saved: FieldView = { value: 1, stored: null, origin: "stored", saving: "saved" };
const me = device("Chrome.test6", { self: true });
const receipts = { revision: 9, seenBy: [] };
const status: Status = { state: "connected", transport: "websocket" };
const quiet = { status, receipts, devices: [me], fields: { "billing.salary": saved }, waiting: 0 };

test("nothing is claimed before something was saved", () => {
  expect(receiptText({ ...quiet, receipts: null })).toBe("Each change is saved as you make it");
});

test("alone, saved is saved", () => {
  expect(receiptText(quiet)).toBe("Saved");
});

test("it counts the devices that have shown the change and names the sleeping ones", () => {
  const devices = [me, device("Firefox.test6"), device("Phone", { online: false, seen: 3 })];
  expect(receiptText({ ...quiet, devices })).toBe("Saved · on 2 of 3 devices · Phone gets it when it wakes");
});

test("a device that has seen it before it slept needs no waking", () => {
  const devices = [me, device("Phone", { online: false, seen: 9 })];
  expect(receiptText({ ...quiet, devices })).toBe("Saved · on all 2 devices");
});

test("several sleepers share one verb, and a long list is cut", () => {
  const asleep = (name: string) => device(name, { online: false, seen: 0 });
  expect(receiptText({ ...quiet, devices: [me, asleep("A"), asleep("B")] })).toContain(
    "A and B get it when they wake",
  );
  expect(receiptText({ ...quiet, devices: [me, ...["A", "B", "C", "D"].map(asleep)] })).toContain(
    "A, B and 2 more get",
  );
});

test("what is not saved is said first", () => {
  const fields = { "billing.salary": { ...saved, saving: "sending" as const } };
  expect(receiptText({ ...quiet, fields })).toBe("Saving…");
  const offline = { ...quiet, status: { state: "offline" as const, retryAt: 0 } };
  expect(receiptText({ ...offline, waiting: 2 })).toBe("2 changes kept on this device until it is connected");
  expect(receiptText(offline)).toContain("You can go on editing");
});

test("this device stands first, then who is online, then who left last", () => {
  const devices = [
    device("Old", { online: false, lastSeen: "2026-01-01T00:00:00.000Z" }),
    device("New", { online: false, lastSeen: "2026-11-01T00:00:00.000Z" }),
    device("Tablet"),
    me,
  ];
  expect(inListOrder(devices).map(({ name }) => name)).toEqual(["Chrome.test6", "Tablet", "New", "Old"]);
});
