// @vitest-environment node
import { describe, expect, it } from "vitest";
import { change, entry, member, other, Rig, self } from "./testing/rig";

const salary = "billing.salary";

async function live() {
  const rig = new Rig();
  await rig.live({ [salary]: entry(3000, 5) });
  return rig;
}

const previewed = (rig: Rig) => rig.socket.said("preview").map(({ set }) => set.billing?.salary);

describe("dragging here", () => {
  it("shows at once, and [L1] stores nothing by itself", async () => {
    const rig = await live();
    rig.client.preview(salary, 3100);
    expect(rig.field(salary)).toMatchObject({ value: 3100, origin: "local", saving: "sending" });
    expect(rig.patches).toEqual([]);
  });

  it("[E4] is told at most every 50 ms, with the latest value", async () => {
    const rig = await live();
    for (let value = 0; value < 100; value++) {
      rig.client.preview(salary, value);
      await rig.clock.advance(10);
    }
    const told = previewed(rig);
    expect(told.length).toBeGreaterThan(15);
    expect(told.length).toBeLessThanOrEqual(21);
    expect(told.at(-1)).toBeGreaterThan(90);
  });

  it("ends with one patch when released", async () => {
    const rig = await live();
    for (let value = 3001; value < 3020; value++) {
      rig.client.preview(salary, value);
      await rig.clock.advance(16);
    }
    rig.client.change(salary, 3020);
    await rig.clock.advance(350);
    expect(rig.patches.map(({ set }) => set)).toEqual([{ billing: { salary: 3020 } }]);
    const told = previewed(rig).length;
    await rig.clock.advance(1000);
    expect(previewed(rig)).toHaveLength(told);
  });

  it("is stored after 400 ms of rest, even if never released", async () => {
    const rig = await live();
    rig.client.preview(salary, 3100);
    await rig.clock.advance(399);
    expect(rig.patches).toEqual([]);
    await rig.clock.advance(1);
    expect(rig.patches).toMatchObject([{ set: { billing: { salary: 3100 } } }]);
  });

  it("back to where it was stores nothing", async () => {
    const rig = await live();
    rig.client.preview(salary, 3100);
    rig.client.change(salary, 3000);
    expect(rig.patches).toEqual([]);
    expect(rig.field(salary)).toMatchObject({ value: 3000, origin: "stored" });
  });

  it("of two fields goes in one frame", async () => {
    const rig = await live();
    rig.client.preview("user.username", "a");
    rig.client.preview(salary, 1);
    rig.client.preview("billing.period", 2);
    await rig.clock.advance(50);
    expect(rig.socket.said("preview").map(({ set }) => set)).toEqual([
      { user: { username: "a" } },
      { billing: { salary: 1, period: 2 } },
    ]);
  });

  it("that is not to be saved is told, and neither stored nor shown as an edit", async () => {
    const rig = await live();
    rig.client.preview("user.email", "zoe@", { save: false });
    await rig.clock.advance(1000);
    expect(rig.socket.said("preview").map(({ set }) => set)).toEqual([{ user: { email: "zoe@" } }]);
    expect(rig.field("user.email")).toMatchObject({ saving: "saved" });
    rig.client.preview("user.email", "zoe@e", { save: false });
    rig.client.stop();
    expect(rig.patches).toEqual([]);
  });

  it("[L1] is told again when a stored value took its place on the others", async () => {
    const rig = await live();
    rig.client.preview("user.email", "zoe@", { save: false });
    await rig.clock.advance(100);
    rig.socket.say(change(5, 6, { "user.email": entry("zoe@example.o", 6, self.id) }));
    await rig.clock.advance(100);
    expect(rig.socket.said("preview").map(({ set }) => set.user?.email)).toEqual(["zoe@", "zoe@"]);
    await rig.clock.advance(1000);
    rig.socket.say(change(6, 7, { "user.email": entry("zoe@example.org", 7) }));
    await rig.clock.advance(100);
    expect(rig.socket.said("preview")).toHaveLength(2);
  });

  it("offline is told to nobody and waits like any edit", async () => {
    const rig = await live();
    rig.socket.drop(1006);
    rig.client.preview(salary, 3100);
    expect(rig.field(salary)).toMatchObject({ value: 3100, saving: "waiting" });
    await rig.clock.advance(400);
    await rig.greet({ revision: 5 });
    expect(rig.socket.said("preview")).toEqual([]);
    expect(rig.patches).toMatchObject([{ base: { billing: { salary: 5 } } }]);
  });

  it("is a choice when the page goes", async () => {
    const rig = await live();
    rig.client.preview(salary, 3100);
    rig.client.stop();
    expect(rig.patches).toMatchObject([{ set: { billing: { salary: 3100 } } }]);
    expect(rig.clock.waiting()).toBeLessThanOrEqual(1); // the copy's last write
    await rig.clock.advance(1000);
    expect(rig.clock.waiting()).toBe(0);
    expect(rig.env.listeners()).toBe(0);
  });
});

describe("[L1] dragging elsewhere", () => {
  const drag = (value: number) => ({ type: "preview", set: { billing: { salary: value } }, device: "d_2" });

  it("is shown until the key's next change", async () => {
    const rig = await live();
    rig.socket.say(drag(4000));
    expect(rig.field(salary)).toMatchObject({
      value: 4000,
      origin: "preview",
      saving: "saved",
      stored: { value: 3000 },
    });
    rig.socket.say(change(5, 6, { "user.email": entry("", 6) }));
    expect(rig.field(salary).value).toBe(4000);
    rig.socket.say(change(6, 7, { [salary]: entry(3900, 7) }));
    expect(rig.field(salary)).toMatchObject({ value: 3900, origin: "stored" });
  });

  it("or for 3 s after the last", async () => {
    const rig = await live();
    rig.socket.say(drag(4000));
    await rig.clock.advance(2000);
    rig.socket.say(drag(4100));
    await rig.clock.advance(2999);
    expect(rig.field(salary).value).toBe(4100);
    await rig.clock.advance(1);
    expect(rig.field(salary)).toMatchObject({ value: 3000, origin: "stored" });
  });

  it("never hides what is typed here", async () => {
    const rig = await live();
    rig.client.change(salary, 3500);
    rig.socket.say(drag(4000));
    expect(rig.field(salary)).toMatchObject({ value: 3500, origin: "local" });
  });

  it("ends with the connection", async () => {
    const rig = await live();
    rig.socket.say(drag(4000));
    rig.socket.drop(1006);
    expect(rig.field(salary).value).toBe(3000);
  });
});

describe("[L2] focus", () => {
  it("is told once, and nothing is told as null", async () => {
    const rig = await live();
    rig.client.focus(salary);
    rig.client.focus(salary);
    rig.client.focus(null);
    expect(rig.socket.said("focus").map(({ field }) => field)).toEqual([salary, null]);
  });

  it("is told again after a reconnect, since it ended with the session", async () => {
    const rig = await live();
    rig.client.focus(salary);
    await rig.comeBack();
    expect(rig.socket.said("focus")).toEqual([]);
    await rig.greet({ revision: 5 });
    expect(rig.socket.said("focus")).toEqual([{ type: "focus", field: salary }]);
  });
});

describe("[L3] presence", () => {
  it("full replaces the list and marks this device", async () => {
    const rig = await live();
    expect(rig.snapshot.devices.map(({ id, self }) => [id, self])).toEqual([
      ["d_1", true],
      ["d_2", false],
    ]);
    rig.socket.say({ type: "presence", full: true, devices: [member(self)] });
    expect(rig.snapshot.devices).toHaveLength(1);
  });

  it("partial changes only whom it names", async () => {
    const rig = await live();
    rig.socket.say({
      type: "presence",
      full: false,
      devices: [member(other, { online: false, focus: salary })],
    });
    expect(rig.snapshot.devices).toMatchObject([
      { id: "d_1", online: true },
      { id: "d_2", online: false, focus: salary },
    ]);
  });

  it("[L4] devices join, are renamed, ask, and leave", async () => {
    const rig = await live();
    const phone = { id: "d_3", name: "Phone" };
    const say = (event: string, device: object) => rig.socket.say({ type: "device", event, device });
    say("asks", phone);
    expect(rig.snapshot.asking).toEqual([phone]);
    say("joined", phone);
    expect(rig.snapshot.asking).toEqual([]);
    expect(rig.snapshot.devices.at(-1)).toMatchObject({ ...phone, online: false, self: false });
    say("joined", phone);
    expect(rig.snapshot.devices).toHaveLength(3);
    say("renamed", { ...phone, name: "Telephone" });
    expect(rig.snapshot.devices.at(-1)?.name).toBe("Telephone");
    say("left", phone);
    say("revoked", other);
    expect(rig.snapshot.devices.map(({ id }) => id)).toEqual(["d_1"]);
  });

  it("names who changed a field, and no name once that device is gone", async () => {
    const rig = await live();
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    rig.socket.say({ type: "device", event: "left", device: other });
    expect(rig.field(salary).changedBy).toMatchObject({ device: "d_2", deviceName: null });
  });
});

describe("[S6] what was seen", () => {
  it("answers a ping with the revision shown", async () => {
    const rig = await live();
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    rig.socket.say({ type: "ping", revision: 6, seal: "00000000" });
    expect(rig.socket.said("pong").at(-1)).toEqual({ type: "pong", seen: 6 });
  });

  it("is told unasked at most once a second", async () => {
    const rig = await live();
    await rig.clock.advance(1000);
    const before = rig.socket.said("pong").length;
    for (let revision = 6; revision < 46; revision++) {
      rig.socket.say(change(revision - 1, revision, { [salary]: entry(revision, revision) }));
      await rig.clock.advance(50);
    }
    await rig.clock.advance(1000);
    const told = rig.socket.said("pong").slice(before);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told.length).toBeLessThanOrEqual(4);
    expect(told.at(-1)?.seen).toBe(45);
  });

  it("is nothing new while nobody looks at the page", async () => {
    const rig = await live();
    rig.env.isVisible = false;
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    await rig.clock.advance(2000);
    rig.socket.say({ type: "ping", revision: 6, seal: "00000000" });
    expect(rig.socket.said("pong").at(-1)).toEqual({ type: "pong", seen: 5 });
    rig.env.isVisible = true;
    rig.env.wake();
    expect(rig.socket.said("pong").at(-1)).toEqual({ type: "pong", seen: 6 });
  });

  it("makes the receipt of the last change saved here", async () => {
    const rig = await live();
    expect(rig.snapshot.receipts).toBeNull();
    rig.client.change(salary, 1);
    rig.socket.say(change(5, 6, { [salary]: entry(1, 6, self.id) }));
    rig.socket.say({ type: "ack", id: "p1", revision: 6, duplicate: false });
    expect(rig.snapshot.receipts).toEqual({ revision: 6, seenBy: [] });
    const presence = {
      type: "presence",
      full: false,
      devices: [member(other, { seen: 6 }), member(self, { seen: 6 })],
    };
    rig.socket.say(presence);
    expect(rig.snapshot.receipts).toEqual({ revision: 6, seenBy: [other] });
  });
});
