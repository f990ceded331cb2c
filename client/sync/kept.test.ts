// @vitest-environment node
import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import { browserStorage, memoryStorage } from "./browser-storage";
import { withEdit } from "./edits";
import { Keeper, nothingKept, type Storage } from "./kept";
import { entry } from "./testing/rig";

const state = { epoch: "k3f9", revision: 5, entries: new Map([["billing.salary", entry(3000, 5)] as const]) };
const slot = withEdit(undefined, { id: "p1", value: 0, base: 5, at: 1, guarded: true, sent: false });
const slots = new Map([["billing.salary", slot] as const]);

const storages: [string, () => Storage][] = [
  ["memory", memoryStorage],
  ["IndexedDB", () => browserStorage(() => new Promise(() => {}))],
];

describe.each(storages)("kept in %s", (_, open) => {
  it("comes back as it was, a zero too", async () => {
    const storage = open();
    const keeper = new Keeper(storage, "d_1", "u");
    await keeper.writeState(state, 7);
    await keeper.writeSlots(slots);
    expect(await new Keeper(storage, "d_1", "u").read()).toEqual({ state, slots, contactAt: 7 });
  });

  it("is apart for every user and device", async () => {
    const storage = open();
    await new Keeper(storage, "d_1", "u").writeState(state, 7);
    expect(await new Keeper(storage, "d_1", "v").read()).toEqual(nothingKept);
    expect(await new Keeper(storage, "d_2", "u").read()).toEqual(nothingKept);
  });

  it("[E1] is wiped for one device and every user", async () => {
    const storage = open();
    for (const [device, user] of [
      ["d_1", "u"],
      ["d_1", "v"],
      ["d_12", "u"],
    ] as const) {
      await new Keeper(storage, device, user).writeState(state, 7);
    }
    await new Keeper(storage, "d_1", "u").wipe();
    expect(await storage.keys()).toEqual(["settings:d_12:u:state"]);
    await new Keeper(storage, "d_12", "u").wipe();
  });
});

describe("what was kept", () => {
  const broken: [string, unknown][] = [
    ["nothing", undefined],
    ["a text", "hello"],
    ["a state of another shape", { epoch: 7 }],
    ["entries that are none", { epoch: "e", revision: 1, entries: [["a.b", { value: 1 }]], contactAt: 0 }],
    [
      "a field without a block",
      { epoch: "e", revision: 1, entries: [["salary", entry(1, 1)]], contactAt: 0 },
    ],
  ];
  it.each(broken)("if it is %s, it is nothing", async (_, value) => {
    const storage = memoryStorage();
    await storage.set("settings:d_1:u:state", value);
    await storage.set("settings:d_1:u:edits", value);
    expect(await new Keeper(storage, "d_1", "u").read()).toEqual(nothingKept);
  });

  // Fault A3: one edit that did not fit took all the others with it, without a word.
  it("of the edits each is read by itself, and what does not fit is reported", async () => {
    const storage = memoryStorage();
    await storage.set("settings:d_1:u:edits", [...slots, ["user.email", { head: 7 }], "row"]);
    await storage.set("settings:d_1:u:state", { epoch: "e", revision: 1, entries: [], contactAt: 0 });
    const reports: string[] = [];
    const kept = await new Keeper(storage, "d_1", "u", (message) => reports.push(message)).read();
    expect(kept.slots).toEqual(slots);
    expect(reports).toHaveLength(2);
  });

  it("if it was never there, is no fault", async () => {
    const reports: string[] = [];
    await new Keeper(memoryStorage(), "d_1", "u", (message) => reports.push(message)).read();
    expect(reports).toEqual([]);
  });

  it("if only the edits are readable, the edits are kept", async () => {
    const storage = memoryStorage();
    const keeper = new Keeper(storage, "d_1", "u");
    await keeper.writeSlots(slots);
    await storage.set("settings:d_1:u:state", 7);
    expect((await keeper.read()).slots).toEqual(slots);
  });
});

describe("a browser without IndexedDB", () => {
  it("that never answers is not waited for", async () => {
    const never = browserStorage(() => Promise.resolve());
    await never.set("a", 1);
    expect(await never.get("a")).toBe(1);
    expect(await never.keys()).toEqual(["a"]);
    await never.remove("a");
    expect(await never.get("a")).toBeUndefined();
  });

  it("that throws falls back to memory", async () => {
    const real = globalThis.indexedDB;
    Reflect.deleteProperty(globalThis, "indexedDB");
    const storage = browserStorage();
    await storage.set("a", 1);
    expect(await storage.get("a")).toBe(1);
    globalThis.indexedDB = real;
  });
});
