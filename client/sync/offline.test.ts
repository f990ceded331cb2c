// @vitest-environment node
import { describe, expect, it } from "vitest";
import { memoryStorage } from "./browser-storage";
import { FakeClock, settle } from "./testing/fake-clock";
import { change, entry, other, Rig, self } from "./testing/rig";

const salary = "billing.salary";
const dayMs = 24 * 60 * 60 * 1000;

const conflict = (id: string, value: number, revision: number) => ({
  type: "refused",
  id,
  code: "conflict",
  message: "Changed since.",
  field: salary,
  current: { billing: { salary: entry(value, revision) } },
});

/** Connected at revision 5 with salary 3000, then cut off. */
async function cutOff() {
  const rig = new Rig();
  await rig.live({ [salary]: entry(3000, 5) });
  rig.socket.drop(1006);
  return rig;
}

/** The back-off passes; the server is now at `revision` with this change. */
async function returned(rig: Rig, revision = 5, frame: object | null = null) {
  const { status } = rig.snapshot;
  if (status.state === "offline") await rig.clock.advance(status.retryAt - rig.clock.now());
  await rig.greet({ revision, change: frame });
}

describe("offline edits", () => {
  it("show at once and wait", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    rig.client.change("billing.period", 12);
    expect(rig.field(salary)).toMatchObject({ value: 3500, saving: "waiting", origin: "local" });
    expect(rig.snapshot).toMatchObject({ waiting: 2, status: { state: "offline" } });
  });

  it("[P4] carry as base the revision the person saw, each field in a patch of its own", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    rig.client.change("billing.period", 12);
    await returned(rig);
    expect(rig.patches).toEqual([
      { type: "patch", id: "p1", set: { billing: { salary: 3500 } }, base: { billing: { salary: 5 } } },
      { type: "patch", id: "p2", set: { billing: { period: 12 } }, base: { billing: { period: 0 } } },
    ]);
  });

  it("[P4] keep that base when the field moves before they are sent", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    await returned(rig, 9, change(5, 9, { [salary]: entry(9000, 9) }));
    expect(rig.patches[0]?.base).toEqual({ billing: { salary: 5 } });
  });

  it("[P4] keep it when typed over after the newer value came in unseen", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    const { status } = rig.snapshot;
    if (status.state === "offline") await rig.clock.advance(status.retryAt - rig.clock.now());
    rig.socket.open();
    rig.socket.say(change(5, 9, { [salary]: entry(9000, 9) }));
    rig.client.change(salary, 3600);
    rig.socket.say({ type: "ready", revision: 9 });
    expect(rig.patches).toMatchObject([
      { set: { billing: { salary: 3600 } }, base: { billing: { salary: 5 } } },
    ]);
  });

  it("squash: only the last value of a field is sent", async () => {
    const rig = await cutOff();
    for (const value of [1, 2, 3]) rig.client.change(salary, value);
    await returned(rig);
    expect(rig.patches.map(({ set }) => set)).toEqual([{ billing: { salary: 3 } }]);
  });

  it("a live edit that never left becomes an offline edit", async () => {
    const rig = new Rig();
    await rig.live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 1);
    rig.client.change(salary, 2);
    await rig.comeBack();
    await rig.greet({ revision: 5 });
    rig.socket.say(change(5, 6, { [salary]: entry(1, 6, self.id) }));
    rig.socket.say({ type: "ack", id: "p1", revision: 6, duplicate: true });
    // The person made it knowing their own first edit, which is revision 6 now.
    expect(rig.patches.at(-1)).toEqual({
      type: "patch",
      id: "p2",
      set: { billing: { salary: 2 } },
      base: { billing: { salary: 6 } },
    });
  });
});

describe("[I3] a patch whose answer never came", () => {
  it("is sent again with the same id and body", async () => {
    const rig = new Rig();
    await rig.live();
    rig.client.change(salary, 3500);
    for (let i = 0; i < 3; i++) {
      await rig.comeBack();
      await rig.greet();
    }
    expect(rig.patches).toHaveLength(4);
    for (const patch of rig.patches) expect(patch).toEqual(rig.patches[0]);
  });

  it("even with the base it once had", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    await returned(rig);
    await rig.comeBack();
    await rig.greet({ revision: 5 });
    expect(rig.patches[1]).toEqual(rig.patches[0]);
  });

  it("and after a reload too", async () => {
    const storage = memoryStorage();
    const clock = new FakeClock();
    const before = new Rig({ storage, clock, idPrefix: "a" });
    await before.live({ [salary]: entry(3000, 5) });
    before.client.change(salary, 3500);
    await clock.advance(1000);
    before.client.stop();

    const after = new Rig({ storage, clock, idPrefix: "b" });
    await after.start();
    expect(after.field(salary)).toMatchObject({ value: 3500, saving: "waiting" });
    await after.greet({ revision: 5 });
    expect(after.patches).toEqual(before.patches);
    after.socket.say({ type: "ack", id: "a1", revision: 6, duplicate: true });
    expect(after.field(salary).saving).toBe("saved");
  });

  describe("and that another device has overtaken", () => {
    async function overtaken() {
      const rig = new Rig();
      await rig.live({ [salary]: entry(3000, 5) });
      rig.client.change(salary, 3500); // into a connection that is dead already
      await rig.comeBack();
      await rig.greet({ revision: 6, change: change(5, 6, { [salary]: entry(9000, 6) }) });
      return rig;
    }

    it("goes with its base, so that it cannot overwrite what it knew nothing of", async () => {
      const rig = await overtaken();
      expect(rig.patches[1]).toEqual({ ...rig.patches[0], base: { billing: { salary: 5 } } });
      rig.socket.say(conflict("p1", 9000, 6));
      expect(rig.field(salary).conflict).toMatchObject({ mine: 3500, theirs: 9000 });
    });

    it("[I3] and is done if its id was used: then it had arrived, and theirs came after", async () => {
      const rig = await overtaken();
      rig.socket.say({ type: "refused", id: "p1", code: "id-reused", message: "Another body." });
      expect(rig.field(salary)).toMatchObject({ value: 9000, saving: "saved", origin: "stored" });
    });
  });

  it("[P2] a duplicate ack does not undo what another device chose since", async () => {
    const rig = new Rig();
    await rig.live();
    rig.client.change(salary, 3500);
    await rig.comeBack();
    await rig.greet();
    rig.socket.say(change(0, 2, { [salary]: entry(9000, 2) }));
    rig.socket.say({ type: "ack", id: "p1", revision: 1, duplicate: true });
    expect(rig.field(salary)).toMatchObject({ value: 9000, origin: "stored", saving: "saved" });
  });
});

describe("[P4] conflicts", () => {
  async function conflicted() {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    await returned(rig, 9, change(5, 9, { [salary]: entry(9000, 9) }));
    rig.socket.say(conflict("p1", 9000, 9));
    return rig;
  }

  it("show both values and whose the other is; the typed one stays", async () => {
    const rig = await conflicted();
    expect(rig.field(salary)).toMatchObject({
      value: 3500,
      saving: "waiting",
      conflict: {
        mine: 3500,
        mineAt: expect.any(Number),
        theirs: 9000,
        device: other.id,
        deviceName: other.name,
      },
    });
    expect(rig.snapshot.waiting).toBe(0);
  });

  it("mine is sent as a new patch that knows what it replaces", async () => {
    const rig = await conflicted();
    rig.client.resolve(salary, "mine");
    expect(rig.patches.at(-1)).toEqual({
      type: "patch",
      id: "p2",
      set: { billing: { salary: 3500 } },
      base: { billing: { salary: 9 } },
    });
    rig.socket.say(change(9, 10, { [salary]: entry(3500, 10, self.id) }));
    rig.socket.say({ type: "ack", id: "p2", revision: 10, duplicate: false });
    expect(rig.field(salary)).toMatchObject({ value: 3500, saving: "saved", origin: "stored" });
    expect(rig.field(salary).conflict).toBeUndefined();
  });

  it("theirs drops the edit and sends nothing", async () => {
    const rig = await conflicted();
    rig.client.resolve(salary, "theirs");
    expect(rig.field(salary)).toMatchObject({ value: 9000, saving: "saved", origin: "stored" });
    expect(rig.patches).toHaveLength(1);
  });

  it("never end by themselves: not by reconnecting, not by typing", async () => {
    const rig = await conflicted();
    rig.client.change(salary, 3600);
    await rig.comeBack();
    await rig.greet({ revision: 9 });
    expect(rig.field(salary).conflict).toMatchObject({ mine: 3600, theirs: 9000 });
    expect(rig.patches).toHaveLength(1);
  });

  it("follow the other device while the person thinks", async () => {
    const rig = await conflicted();
    rig.socket.say(change(9, 10, { [salary]: entry(9500, 10) }));
    expect(rig.field(salary).conflict?.theirs).toBe(9500);
    rig.client.resolve(salary, "mine");
    expect(rig.patches.at(-1)?.base).toEqual({ billing: { salary: 10 } });
  });

  it("end when both turn out to have chosen the same", async () => {
    const rig = await conflicted();
    rig.socket.say(change(9, 10, { [salary]: entry(3500, 10) }));
    expect(rig.field(salary)).toMatchObject({ value: 3500, saving: "saved" });
    expect(rig.field(salary).conflict).toBeUndefined();
  });

  it("of one field hold up no other", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    rig.client.change("billing.period", 12);
    await returned(rig, 9, change(5, 9, { [salary]: entry(9000, 9) }));
    rig.socket.say(conflict("p1", 9000, 9));
    rig.socket.say(change(9, 10, { "billing.period": entry(12, 10, self.id) }));
    rig.socket.say({ type: "ack", id: "p2", revision: 10, duplicate: false });
    expect(rig.field("billing.period").saving).toBe("saved");
  });

  it("survive a reload", async () => {
    const storage = memoryStorage();
    const before = new Rig({ storage });
    await before.live({ [salary]: entry(3000, 5) });
    before.socket.drop(1006);
    before.client.change(salary, 3500);
    await returned(before, 9, change(5, 9, { [salary]: entry(9000, 9) }));
    before.socket.say(conflict("p1", 9000, 9));
    await before.clock.advance(1000);
    before.client.stop();
    const after = new Rig({ storage, clock: before.clock });
    await after.start();
    expect(after.field(salary).conflict).toMatchObject({ mine: 3500, theirs: 9000 });
  });

  it("of a reset show the default as theirs", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    await returned(rig, 9, change(5, 9, { [salary]: entry(null, 9) }));
    rig.socket.say({ ...conflict("p1", 0, 9), current: { billing: { salary: entry(null, 9) } } });
    expect(rig.field(salary).conflict?.theirs).toBe(2500);
  });
});

describe("a reload", () => {
  it("shows what was kept at once, offline, and resumes from it (SPEC C6)", async () => {
    const storage = memoryStorage();
    const before = new Rig({ storage });
    await before.live({ [salary]: entry(3000, 5) });
    await before.clock.advance(1000);
    before.client.stop();

    const after = new Rig({ storage, clock: before.clock });
    await after.start();
    expect(after.field(salary)).toMatchObject({ value: 3000, origin: "stored" });
    expect(after.snapshot).toMatchObject({ epoch: "k3f9", revision: 5, status: { state: "connecting" } });
    after.socket.open();
    expect(after.socket.sent[0]).toMatchObject({ resume: { epoch: "k3f9", revision: 5 } });
  });

  it("finds edits made while the kept ones were still being read", async () => {
    const storage = memoryStorage();
    const before = new Rig({ storage, idPrefix: "a" });
    await before.live();
    before.socket.drop(1006);
    before.client.change(salary, 1);
    before.client.change("billing.period", 1);
    await before.client.written();
    await before.clock.advance(1);
    const after = new Rig({ storage, clock: before.clock, idPrefix: "b" });
    after.client.change(salary, 2);
    await after.start();
    expect(after.field(salary).value).toBe(2);
    expect(after.field("billing.period").value).toBe(1);
    await after.client.written();
    await after.greet();
    expect(after.patches.map(({ set }) => set)).toEqual([
      { billing: { period: 1 } },
      { billing: { salary: 2 } },
    ]);
  });

  it("works where nothing can be kept", async () => {
    const broken = async () => {
      throw new Error("no storage");
    };
    const rig = new Rig({ storage: { get: broken, set: broken, remove: broken, keys: broken } });
    await rig.live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 1);
    await rig.comeBack();
    await rig.greet({ revision: 5 });
    expect(rig.patches).toHaveLength(2);
  });
});

describe("old edits", () => {
  async function away(ms: number) {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    await rig.clock.sleep(ms);
    return rig;
  }

  it("of more than a day are not sent without asking", async () => {
    const rig = await away(dayMs + 1);
    await rig.greet({ revision: 9, change: change(5, 9, { [salary]: entry(9000, 9) }) });
    expect(rig.patches).toEqual([]);
    expect(rig.snapshot.needsConfirm).toMatchObject({
      edits: [{ field: salary, value: 3500 }],
      changes: [{ field: salary, stored: { value: 9000 }, deviceName: other.name }],
    });
    expect(rig.field(salary)).toMatchObject({ value: 3500, saving: "waiting" });
  });

  it("of less than a day are", async () => {
    const rig = await away(dayMs / 2);
    await rig.greet({ revision: 5 });
    expect(rig.patches).toHaveLength(1);
    expect(rig.snapshot.needsConfirm).toBeNull();
  });

  it("are sent with their base once confirmed", async () => {
    const rig = await away(dayMs + 1);
    await rig.greet({ revision: 5 });
    rig.client.confirm(true);
    expect(rig.patches).toMatchObject([
      { set: { billing: { salary: 3500 } }, base: { billing: { salary: 5 } } },
    ]);
    expect(rig.snapshot.needsConfirm).toBeNull();
  });

  it("are dropped when the person says so", async () => {
    const rig = await away(dayMs + 1);
    await rig.greet({ revision: 5 });
    rig.client.confirm(false);
    expect(rig.patches).toEqual([]);
    expect(rig.field(salary)).toMatchObject({ value: 3000, saving: "saved" });
  });

  it("chosen anew are no longer old", async () => {
    const rig = await away(dayMs + 1);
    await rig.greet({ revision: 5 });
    rig.client.change(salary, 3600);
    expect(rig.patches).toMatchObject([{ set: { billing: { salary: 3600 } } }]);
  });

  it("stay asked about over a reload", async () => {
    const rig = await away(dayMs + 1);
    await rig.greet({ revision: 5 });
    await rig.clock.advance(1000);
    rig.client.stop();
    const after = new Rig({ storage: rig.storage, clock: rig.clock, idPrefix: "z" });
    await after.start();
    await after.greet({ revision: 5 });
    expect(after.snapshot.needsConfirm?.edits).toHaveLength(1);
    expect(after.patches).toEqual([]);
  });

  it("[P5] of a device silent for 30 days are all asked about, even fresh ones", async () => {
    const rig = new Rig();
    await rig.live({ [salary]: entry(3000, 5) });
    await rig.clock.advance(1000);
    rig.client.stop();
    await rig.clock.advance(31 * dayMs);
    const after = new Rig({ storage: rig.storage, clock: rig.clock, idPrefix: "z" });
    await after.start();
    after.client.change(salary, 3500);
    await after.greet({ revision: 5 });
    expect(after.patches).toEqual([]);
    expect(after.snapshot.needsConfirm?.edits).toHaveLength(1);
  });

  it("[P5] a patch without answer for 30 days gets a new id: the old answer is forgotten", async () => {
    const rig = new Rig();
    await rig.live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 3500);
    await rig.clock.advance(1000);
    rig.client.stop();
    await rig.clock.advance(31 * dayMs);
    const after = new Rig({ storage: rig.storage, clock: rig.clock, idPrefix: "z" });
    await after.start();
    await after.greet({ revision: 5 });
    after.client.confirm(true);
    expect(after.patches).toEqual([
      { type: "patch", id: "z1", set: { billing: { salary: 3500 } }, base: { billing: { salary: 5 } } },
    ]);
  });
});

describe("another epoch", () => {
  it("[C6] an edit goes on where the value the person saw still stands", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    await rig.clock.advance(250);
    await rig.greet({
      epoch: "zz11",
      revision: 2,
      change: change(0, 2, { [salary]: entry(3000, 2) }, "zz11"),
    });
    expect(rig.patches).toEqual([
      { type: "patch", id: "p2", set: { billing: { salary: 3500 } }, base: { billing: { salary: 2 } } },
    ]);
    expect(rig.snapshot).toMatchObject({ epoch: "zz11", revision: 2 });
  });

  it("[P4] and is refused, not overwriting, where it does not", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    await rig.clock.advance(250);
    await rig.greet({ epoch: "zz11", revision: 2, change: change(0, 2, { [salary]: entry(1, 2) }, "zz11") });
    expect(rig.patches[0]?.base).toEqual({ billing: { salary: 0 } });
  });

  it("[I3] a patch on its way starts over, since its answer is of the other history", async () => {
    const rig = new Rig();
    await rig.live({ [salary]: entry(3000, 5) });
    rig.client.change(salary, 3500);
    await rig.comeBack(4005);
    await rig.greet({
      epoch: "zz11",
      revision: 2,
      change: change(0, 2, { [salary]: entry(3000, 2) }, "zz11"),
    });
    expect(rig.patches[1]).toMatchObject({ id: "p2", base: { billing: { salary: 2 } } });
  });

  it("an emptied server empties the copy (SPEC C6)", async () => {
    const rig = await cutOff();
    await rig.clock.advance(250);
    await rig.greet({ epoch: "zz11", revision: 0 });
    expect(rig.snapshot).toMatchObject({ epoch: "zz11", revision: 0 });
    expect(rig.field(salary)).toMatchObject({ value: 2500, origin: "default", stored: null });
  });
});

describe("[E1] the end of the device", () => {
  it("4503 wipes everything kept of every user, and says so", async () => {
    const storage = memoryStorage();
    await storage.set("settings:d_1:Another:state", "kept");
    await storage.set("settings:d_9:TestUser6:state", "of another device");
    const rig = new Rig({ storage });
    await rig.live({ [salary]: entry(3000, 5) });
    rig.client.change("billing.period", 12);
    await rig.clock.advance(1000);
    expect(await storage.keys()).toHaveLength(4);
    rig.socket.drop(4503);
    await settle();
    expect(await storage.keys()).toEqual(["settings:d_9:TestUser6:state"]);
    expect(rig.snapshot).toMatchObject({
      status: { state: "stopped", reason: "revoked" },
      epoch: null,
      waiting: 0,
    });
    expect(rig.field(salary)).toMatchObject({ value: 2500, stored: null });
    expect(rig.revoked).toBe(1);
  });

  it("being signed out keeps the edits for the next log-in", async () => {
    const rig = await cutOff();
    rig.client.change(salary, 3500);
    rig.tokens.signedOut = true;
    await rig.clock.advance(1000);
    expect(rig.snapshot).toMatchObject({ status: { state: "stopped", reason: "signed-out" }, waiting: 1 });
    rig.tokens.signedOut = false;
    rig.client.reconnect();
    await settle();
    await rig.greet({ revision: 5 });
    expect(rig.patches).toHaveLength(1);
  });
});
