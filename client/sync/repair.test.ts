// @vitest-environment node
import { describe, expect, it } from "vitest";
import { sealOf } from "./seal";
import { change, entry, Rig } from "./testing/rig";

const salary = "billing.salary";
const at5 = new Map([[salary, { revision: 5 }] as const]);

async function live() {
  const rig = new Rig();
  await rig.live({ [salary]: entry(3000, 5) });
  return rig;
}

describe("noticing what is missing", () => {
  it("[S2] a change above the device's revision makes it send sync", async () => {
    const rig = await live();
    rig.socket.say(change(7, 8, { [salary]: entry(9000, 8) }));
    expect(rig.socket.said("sync")).toEqual([{ type: "sync", revision: 5 }]);
    expect(rig.field(salary).value).toBe(3000);
    rig.socket.say(change(5, 8, { [salary]: entry(9000, 8) }));
    expect(rig.field(salary).value).toBe(9000);
    expect(rig.snapshot.revision).toBe(8);
  });

  it("[S2] a change of an epoch it does not know makes it ask for everything", async () => {
    const rig = await live();
    rig.socket.say(change(5, 8, { [salary]: entry(9000, 8) }, "zz11"));
    expect(rig.socket.said("sync")).toEqual([{ type: "sync", revision: 0 }]);
  });

  it("[S5] an empty answer is an answer", async () => {
    const rig = await live();
    const before = rig.snapshot;
    rig.socket.say(change(5, 5, {}));
    expect(rig.snapshot).toBe(before);
    expect(rig.socket.said("sync")).toEqual([]);
  });

  it("[S1] a change told twice is applied once", async () => {
    const rig = await live();
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    const after = rig.snapshot;
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    expect(rig.snapshot).toBe(after);
  });

  it("[C6] ready above the copy makes it send sync", async () => {
    const rig = new Rig();
    await rig.start();
    await rig.greet({ revision: 5, change: change(0, 3, { [salary]: entry(1, 3) }) });
    expect(rig.socket.said("sync")).toEqual([{ type: "sync", revision: 3 }]);
  });

  it("[C6] another epoch without the whole state makes it ask for it", async () => {
    const rig = await live();
    await rig.comeBack();
    await rig.greet({ epoch: "zz11", revision: 9 });
    expect(rig.socket.said("sync")).toEqual([{ type: "sync", revision: 0 }]);
  });

  it("[C6] a server that knows less than this copy makes it ask for everything", async () => {
    const rig = await live();
    await rig.comeBack();
    await rig.greet({ revision: 4 });
    expect(rig.socket.said("sync")).toEqual([{ type: "sync", revision: 0 }]);
  });
});

describe("[S7] the seal", () => {
  it("that matches asks for nothing", async () => {
    const rig = await live();
    rig.socket.say({ type: "ping", revision: 5, seal: sealOf(at5) });
    expect(rig.socket.said("sync")).toEqual([]);
    expect(rig.snapshot.repairs).toBe(0);
  });

  it("that differs at the same revision makes it fetch everything anew, and count it", async () => {
    const rig = await live();
    rig.socket.say({ type: "ping", revision: 5, seal: "00000000" });
    expect(rig.socket.said("sync")).toEqual([{ type: "sync", revision: 0 }]);
    expect(rig.snapshot.repairs).toBe(1);
    rig.socket.say(change(0, 5, { [salary]: entry(3000, 4), "user.email": entry("", 5) }));
    expect(rig.field("user.email").stored?.revision).toBe(5);
    expect(rig.field(salary).stored?.revision).toBe(4);
  });

  it("of an older revision says nothing: a change is on its way after it", async () => {
    const rig = await live();
    rig.socket.say({ type: "ping", revision: 4, seal: "00000000" });
    expect(rig.socket.said("sync")).toEqual([]);
  });

  it("[S6] a ping above the copy makes it ask for what it missed", async () => {
    const rig = await live();
    rig.socket.say({ type: "ping", revision: 6, seal: "00000000" });
    expect(rig.socket.said("sync")).toEqual([{ type: "sync", revision: 5 }]);
    expect(rig.snapshot.repairs).toBe(0);
  });

  it("counts tombstones too", async () => {
    const rig = await live();
    rig.socket.say(change(5, 6, { [salary]: entry(null, 6) }));
    rig.socket.say({ type: "ping", revision: 6, seal: sealOf(new Map([[salary, { revision: 6 }]])) });
    expect(rig.snapshot.repairs).toBe(0);
  });
});

describe("the glow of a change", () => {
  it("is for another device's change only, and says whose", async () => {
    const rig = await live();
    expect(rig.field(salary).changedBy).toBeUndefined();
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    expect(rig.field(salary).changedBy).toMatchObject({
      device: "d_2",
      deviceName: "Firefox.test6",
      revision: 6,
    });
    rig.socket.say(change(6, 7, { [salary]: entry(1, 7, "d_1") }));
    expect(rig.field(salary).changedBy).toBeUndefined();
  });

  it("shows what changed while this device was away", async () => {
    const rig = await live();
    await rig.comeBack();
    await rig.greet({ revision: 6, change: change(5, 6, { "user.email": entry("n@b.c", 6) }) });
    expect(rig.field("user.email").changedBy?.revision).toBe(6);
    expect(rig.field(salary).changedBy).toBeUndefined();
  });

  it("ends when the person edits the field", async () => {
    const rig = await live();
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    rig.client.preview(salary, 100);
    expect(rig.field(salary).changedBy).toBeUndefined();
  });

  it("is not for the first state, nor for a repair that moves nothing", async () => {
    const rig = await live();
    rig.socket.say(change(0, 5, { [salary]: entry(3000, 5) }));
    expect(rig.field(salary).changedBy).toBeUndefined();
  });
});

describe("the snapshot", () => {
  it("and each field in it are the same objects until they change", async () => {
    const rig = await live();
    const before = rig.snapshot;
    let told = 0;
    const undo = rig.client.subscribe(() => told++);
    rig.socket.say({ type: "ping", revision: 5, seal: sealOf(at5) });
    expect([rig.snapshot, told]).toEqual([before, 0]);
    rig.socket.say(change(5, 6, { "user.email": entry("n@b.c", 6) }));
    expect(told).toBe(1);
    expect(rig.snapshot).not.toBe(before);
    expect(rig.field(salary)).toBe(before.fields[salary]);
    expect(rig.snapshot.devices).toBe(before.devices);
    expect(rig.snapshot.status).toBe(before.status);
    undo();
    rig.client.change(salary, 1);
    expect(told).toBe(1);
  });

  it("has every field of the schema from the start, with its default", () => {
    const rig = new Rig();
    expect(Object.keys(rig.snapshot.fields)).toHaveLength(5);
    expect(rig.field("billing.period")).toEqual({
      value: 3,
      stored: null,
      origin: "default",
      saving: "saved",
    });
  });

  it("has fields the schema does not know as they are stored", async () => {
    const rig = await live();
    rig.socket.say(change(5, 6, { "theme.color": entry("red", 6) }));
    expect(rig.field("theme.color")).toMatchObject({ value: "red", origin: "stored" });
  });
});
