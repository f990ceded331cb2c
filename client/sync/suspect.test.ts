// @vitest-environment node
import { describe, expect, it } from "vitest";
import { memoryStorage } from "./browser-storage";
import { FakeClock } from "./testing/fake-clock";
import { change, entry, Rig, self } from "./testing/rig";
import type { Json } from "./types";

const salary = "billing.salary";
const username = "user.username";

async function live() {
  const rig = new Rig();
  await rig.live({ [salary]: entry(3000, 5) });
  return rig;
}

/** What was sent on the newest socket, by field. */
const sent = (rig: Rig): Json[] =>
  rig.socket.said("patch").flatMap(({ set }) => Object.values(set).flatMap((keys) => Object.values(keys)));

async function again(rig: Rig, code = 4500, revision = 5) {
  await rig.comeBack(code);
  await rig.greet({ revision });
}

function store(rig: Rig, revision: number, field: string, value: Json) {
  const id = rig.socket.said("patch").at(-1)?.id;
  rig.socket.say(change(revision - 1, revision, { [field]: entry(value, revision, self.id) }));
  rig.socket.say({ type: "ack", id, revision, duplicate: false });
}

// Fault A2: an edit that the server answers by ending the connection was sent first at each connect, for ever.
describe("[D2] an edit over which the connection ends", () => {
  it.each([4500, 4599, 1002, 1003, 1007, 1008, 1009])(
    "with %i is sent twice and then set aside",
    async (code) => {
      const rig = await live();
      rig.client.change(username, "poison");
      expect(sent(rig)).toEqual(["poison"]);
      await again(rig, code);
      expect(sent(rig)).toEqual(["poison"]);
      await again(rig, code);
      expect(sent(rig)).toEqual([]);
      expect(rig.snapshot.status.state).toBe("connected");
      expect(rig.field(username)).toMatchObject({ value: "poison", saving: "refused" });
      expect(rig.field(username).error).toMatch(/could not read this/);
      expect(rig.snapshot.waiting).toBe(0);
      await rig.clock.advance(120_000);
      expect(sent(rig)).toEqual([]);
    },
  );

  it("holds up no other edit, and takes none with it", async () => {
    const rig = await live();
    rig.client.change(username, "poison");
    rig.client.change(salary, 1);
    rig.client.change("billing.period", 12);
    await again(rig);
    // Each was on the link, so each may be the cause: from now on one at a time.
    expect(sent(rig)).toEqual(["poison"]);
    await again(rig);
    expect(sent(rig)).toEqual([1]);
    store(rig, 6, salary, 1);
    expect(sent(rig)).toEqual([1, 12]);
    store(rig, 7, "billing.period", 12);
    expect(rig.field(username).saving).toBe("refused");
    for (const field of [salary, "billing.period"] as const) expect(rig.field(field).saving).toBe("saved");
  });

  it("lets edits made since go first", async () => {
    const rig = await live();
    rig.client.change(username, "poison");
    await rig.comeBack(4500);
    rig.client.change(salary, 1);
    await rig.greet({ revision: 5 });
    expect(sent(rig)).toEqual([1]);
    store(rig, 6, salary, 1);
    expect(sent(rig)).toEqual([1, "poison"]);
  });

  it("is told from an innocent one by no hint sent beside it", async () => {
    const rig = await live();
    rig.client.change(username, "poison");
    await again(rig);
    rig.client.preview(salary, 1);
    expect(rig.socket.said("preview")).toEqual([]);
    store(rig, 6, username, "poison");
    await rig.clock.advance(50);
    expect(rig.socket.said("preview")).toHaveLength(1);
  });

  it("that was innocent is saved, and is no longer suspected", async () => {
    const rig = await live();
    rig.client.change(username, "fine");
    await again(rig);
    store(rig, 6, username, "fine");
    expect(rig.field(username)).toMatchObject({ value: "fine", saving: "saved" });
    rig.client.change(username, "finer");
    await again(rig, 4500, 6);
    expect(rig.field(username).saving).toBe("sending");
  });

  it("gives way to a corrected one at once", async () => {
    const rig = await live();
    rig.client.change(username, "poison");
    await again(rig);
    rig.client.change(username, "cured");
    await again(rig);
    expect(sent(rig)).toEqual(["cured"]);
    store(rig, 6, username, "cured");
    expect(rig.field(username)).toMatchObject({ value: "cured", saving: "saved" });
  });

  it("can be corrected or taken back once it is set aside", async () => {
    const rig = await live();
    rig.client.change(username, "poison");
    await again(rig);
    await again(rig);
    rig.client.change(username, "cured");
    expect(sent(rig)).toEqual(["cured"]);
    await again(rig, 1006);
    await again(rig, 4500);
    await again(rig, 4500);
    expect(rig.field(username).saving).toBe("refused");
    rig.client.resolve(username, "theirs");
    expect(rig.field(username)).toMatchObject({ value: "", saving: "saved" });
  });

  it("is remembered over a reload: the page that was told to reload is not locked out", async () => {
    const storage = memoryStorage();
    const clock = new FakeClock();
    const before = new Rig({ storage, clock, idPrefix: "a" });
    await before.live();
    before.client.change(username, "poison");
    before.socket.drop(4500);
    await before.client.written();
    before.client.stop();
    const after = new Rig({ storage, clock, idPrefix: "b" });
    await after.live();
    expect(sent(after)).toEqual(["poison"]);
    await again(after, 4500, 0);
    expect(after.field(username).saving).toBe("refused");
  });

  it("is not blamed for what a broken line does", async () => {
    const rig = await live();
    rig.client.change(username, "fine");
    for (let i = 0; i < 5; i++) await again(rig, 1006);
    expect(rig.field(username).saving).toBe("sending");
    expect(sent(rig)).toEqual(["fine"]);
  });

  it("[E1] without any edit on its way, 4500 is final as ever", async () => {
    const rig = await live();
    rig.socket.drop(4500);
    expect(rig.snapshot.status).toEqual({ state: "stopped", reason: "rejected" });
  });
});

describe("[E2] a preview no frame can hold", () => {
  it("is not sent: it would end the connection", async () => {
    const rig = await live();
    rig.client.change(username, "ë".repeat(20_000), { typing: true });
    expect(rig.socket.said("preview")).toEqual([]);
    await rig.clock.advance(1000);
    expect(rig.field(username)).toMatchObject({ saving: "refused" });
  });
});
