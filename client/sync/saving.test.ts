// @vitest-environment node
import { describe, expect, it } from "vitest";
import { change, entry, other, Rig, self } from "./testing/rig";
import type { Json } from "./types";

const salary = "billing.salary";

async function live(values = {}) {
  const rig = new Rig();
  await rig.live(values);
  return rig;
}

/** The server stores the newest patch as `revision`, and says so in its order (SPEC S4). */
function store(rig: Rig, revision: number, value: Json, id: string) {
  rig.socket.say(change(revision - 1, revision, { [salary]: entry(value, revision, self.id) }));
  rig.socket.say({ type: "ack", id, revision, duplicate: false });
}

describe("nothing is written by itself", () => {
  it("[I1] opening, resuming and reconnecting send no patch", async () => {
    const rig = await live({ [salary]: entry(3000, 5) });
    for (let i = 0; i < 3; i++) {
      await rig.comeBack();
      await rig.greet({ revision: 5 });
    }
    rig.client.reconnect();
    rig.env.wake();
    await rig.clock.advance(60_000);
    expect(rig.patches).toEqual([]);
  });

  it("[I1] looking at a field, dragging back or resetting what was never set stores nothing", async () => {
    const rig = await live({ [salary]: entry(3000, 5) });
    rig.client.focus(salary);
    rig.client.change(salary, 3000);
    rig.client.reset("user.email");
    expect(rig.socket.said("patch")).toEqual([]);
    expect(rig.field(salary).saving).toBe("saved");
  });

  it("[I1] a value equal to the default, once chosen, is stored", async () => {
    const rig = await live();
    rig.client.change(salary, 2500);
    expect(rig.socket.said("patch")).toMatchObject([{ set: { billing: { salary: 2500 } } }]);
  });
});

describe("live edits", () => {
  it("[P4] carry no base", async () => {
    const rig = await live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 3100);
    expect(rig.socket.said("patch")[0]).not.toHaveProperty("base");
  });

  it("[P2] show at once and are saved only by their ack", async () => {
    const rig = await live();
    rig.client.change(salary, 3000);
    expect(rig.field(salary)).toMatchObject({
      value: 3000,
      origin: "local",
      saving: "sending",
      stored: null,
    });
    rig.socket.say(change(0, 1, { [salary]: entry(3000, 1, self.id) }));
    expect(rig.field(salary).saving).toBe("sending");
    rig.socket.say({ type: "ack", id: "p1", revision: 1, duplicate: false });
    expect(rig.field(salary)).toMatchObject({ value: 3000, origin: "stored", saving: "saved" });
    expect(rig.snapshot.waiting).toBe(0);
  });

  it("squash while one patch is on its way: the first and the last are sent", async () => {
    const rig = await live();
    for (const value of [1, 2, 3, 4]) rig.client.change(salary, value);
    expect(rig.socket.said("patch").map(({ set }) => set.billing?.salary)).toEqual([1]);
    expect(rig.field(salary).value).toBe(4);
    store(rig, 1, 1, "p1");
    expect(rig.field(salary)).toMatchObject({ value: 4, saving: "sending" });
    store(rig, 2, 4, "p4");
    expect(rig.socket.said("patch").map(({ set }) => set.billing?.salary)).toEqual([1, 4]);
    expect(rig.field(salary)).toMatchObject({ value: 4, saving: "saved" });
  });

  it("[P6] of different fields do not wait for each other", async () => {
    const rig = await live();
    rig.client.change(salary, 1);
    rig.client.change("billing.period", 12);
    rig.client.change("user.acceptedTerms", true);
    expect(rig.socket.said("patch").map(({ set }) => set)).toEqual([
      { billing: { salary: 1 } },
      { billing: { period: 12 } },
      { user: { acceptedTerms: true } },
    ]);
  });

  it("[I3] every value gets an id of its own", async () => {
    const rig = await live();
    rig.client.change(salary, 1);
    store(rig, 1, 1, "p1");
    rig.client.change(salary, 2);
    const ids = rig.socket.said("patch").map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._:-]{1,64}$/);
  });

  it("stay on top of what comes in under them", async () => {
    const rig = await live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 3100);
    rig.socket.say(change(5, 6, { [salary]: entry(9000, 6) }));
    expect(rig.field(salary)).toMatchObject({ value: 3100, stored: { value: 9000 } });
  });

  it("[V1] a false, a zero and an empty string are values", async () => {
    const rig = await live({
      "user.acceptedTerms": entry(true, 1),
      [salary]: entry(5, 2),
      "user.email": entry("x", 3),
    });
    rig.client.change("user.acceptedTerms", false);
    rig.client.change(salary, 0);
    rig.client.change("user.email", "");
    expect(rig.socket.said("patch").map(({ set }) => set)).toEqual([
      { user: { acceptedTerms: false } },
      { billing: { salary: 0 } },
      { user: { email: "" } },
    ]);
    expect(rig.field(salary).value).toBe(0);
  });

  it("[V3] reset sends null and shows the default", async () => {
    const rig = await live({ [salary]: entry(3000, 5) });
    rig.client.reset(salary);
    expect(rig.socket.said("patch")[0]?.set).toEqual({ billing: { salary: null } });
    expect(rig.field(salary)).toMatchObject({ value: 2500, origin: "local" });
    rig.socket.say(change(5, 6, { [salary]: entry(null, 6, self.id) }));
    rig.socket.say({ type: "ack", id: "p1", revision: 6, duplicate: false });
    expect(rig.field(salary)).toMatchObject({
      value: 2500,
      origin: "default",
      stored: { value: null, revision: 6 },
    });
  });

  it("an ack that overtakes its change (writes by PATCH) shows no older value meanwhile", async () => {
    const rig = await live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 3100);
    rig.socket.say({ type: "ack", id: "p1", revision: 6, duplicate: false });
    expect(rig.field(salary)).toMatchObject({ value: 3100, saving: "saved" });
    rig.socket.say(change(5, 6, { [salary]: entry(3100, 6, self.id) }));
    expect(rig.field(salary)).toMatchObject({ value: 3100, origin: "stored" });
  });

  it("answers to what was never asked change nothing", async () => {
    const rig = await live();
    const before = rig.snapshot;
    rig.socket.say({ type: "ack", id: "nobody", revision: 9, duplicate: false });
    rig.socket.say({ type: "refused", id: "nobody", code: "invalid", message: "?" });
    expect(rig.snapshot).toBe(before);
  });
});

describe("refusals", () => {
  const final = ["invalid", "malformed", "too-large", "quota-exceeded"];
  it.each(final)("[P3] %s: the typed value stays, with the server's words", async (code) => {
    const rig = await live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 99999);
    rig.socket.say({ type: "refused", id: "p1", code, message: "must be at most 10000", field: salary });
    expect(rig.field(salary)).toMatchObject({
      value: 99999,
      saving: "refused",
      error: "must be at most 10000",
    });
    expect(rig.snapshot.waiting).toBe(0);
    await rig.clock.advance(60_000);
    expect(rig.patches).toHaveLength(1);
  });

  it("[P3] typing again after a refusal is a new patch", async () => {
    const rig = await live();
    rig.client.change(salary, 99999);
    rig.socket.say({ type: "refused", id: "p1", code: "invalid", message: "no" });
    rig.client.change(salary, 10000);
    expect(rig.socket.said("patch")[1]).toEqual({
      type: "patch",
      id: "p2",
      set: { billing: { salary: 10000 } },
    });
    expect(rig.field(salary)).toMatchObject({ saving: "sending" });
    expect(rig.field(salary).error).toBeUndefined();
  });

  it("[P3] a refusal of a value already typed over is not shown", async () => {
    const rig = await live();
    rig.client.change(salary, 99999);
    rig.client.change(salary, 10000);
    rig.socket.say({ type: "refused", id: "p1", code: "invalid", message: "no" });
    expect(rig.field(salary)).toMatchObject({ value: 10000, saving: "sending" });
    expect(rig.socket.said("patch")[1]?.set).toEqual({ billing: { salary: 10000 } });
  });

  it("theirs takes a refused value back", async () => {
    const rig = await live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 99999);
    rig.socket.say({ type: "refused", id: "p1", code: "invalid", message: "no" });
    rig.client.resolve(salary, "theirs");
    expect(rig.field(salary)).toMatchObject({ value: 3000, saving: "saved" });
  });

  const passing = ["rate-limited", "storage-full", "unavailable", "internal", "not-ready"];
  it.each(passing)("[P3] %s: the same patch again, after retryIn", async (code) => {
    const rig = await live();
    rig.client.change(salary, 3000);
    rig.socket.say({ type: "refused", id: "p1", code, message: "later", retryIn: 1000 });
    expect(rig.field(salary).saving).toBe("sending");
    await rig.clock.advance(999);
    expect(rig.socket.said("patch")).toHaveLength(1);
    await rig.clock.advance(1);
    const [first, second] = rig.socket.said("patch");
    expect(second).toEqual(first);
  });

  it("[P3] without retryIn it backs off, longer each time", async () => {
    const rig = await live();
    rig.client.change(salary, 3000);
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = rig.clock.now();
      rig.socket.say({ type: "refused", id: "p1", code: "unavailable", message: "later" });
      while (rig.socket.said("patch").length === i + 1) await rig.clock.advance(10);
      waits.push(rig.clock.now() - start);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000]);
  });

  it("[P3] one field that has to wait holds up no other", async () => {
    const rig = await live();
    rig.client.change(salary, 3000);
    rig.socket.say({ type: "refused", id: "p1", code: "internal", message: "later", retryIn: 5000 });
    rig.client.change("billing.period", 12);
    expect(rig.socket.said("patch").map(({ id }) => id)).toEqual(["p1", "p2"]);
  });

  it("[I3] id-reused means that this very value is stored already", async () => {
    const rig = await live();
    rig.client.change(salary, 3000);
    rig.socket.say(change(0, 1, { [salary]: entry(3000, 1, self.id) }));
    rig.socket.say({ type: "refused", id: "p1", code: "id-reused", message: "another body" });
    expect(rig.field(salary)).toMatchObject({ value: 3000, saving: "saved", origin: "stored" });
  });

  it("[E2] a value no frame can hold is refused here, so that the connection lives", async () => {
    const rig = await live();
    rig.client.change("user.username", "ë".repeat(16 * 1024));
    expect(rig.socket.said("patch")).toHaveLength(0);
    expect(rig.field("user.username")).toMatchObject({ saving: "refused" });
    expect(rig.field("user.username").error).toMatch(/too large/);
  });
});

describe("[E4] pace", () => {
  it("a hundred edits at once go out at no more than 30 frames a second, in order", async () => {
    const rig = await live();
    for (let i = 0; i < 100; i++) rig.client.change(`block.key${i}`, i);
    const seconds: number[] = [];
    for (let second = 0; second < 5; second++) {
      const before = rig.socket.sent.length;
      await rig.clock.advance(1000);
      seconds.push(rig.socket.sent.length - before);
    }
    for (const count of seconds) expect(count).toBeLessThanOrEqual(30);
    const keys = rig.socket.said("patch").flatMap(({ set }) => Object.values(set.block ?? {}));
    expect(keys).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

describe("[C7] before ready", () => {
  it("no patch is sent, and an edit made then carries its base", async () => {
    const rig = new Rig();
    await rig.start();
    rig.socket.open();
    rig.client.change(salary, 3000);
    expect(rig.socket.said("patch")).toEqual([]);
    expect(rig.field(salary).saving).toBe("waiting");
    await rig.greet({ revision: 3, change: change(0, 3, { "user.email": entry("", 3, other.id) }) });
    expect(rig.socket.said("patch")).toEqual([
      { type: "patch", id: "p1", set: { billing: { salary: 3000 } }, base: { billing: { salary: 0 } } },
    ]);
  });
});
