// @vitest-environment node
import { describe, expect, it } from "vitest";
import { sealOf } from "./seal";
import { change, entry, Rig, self } from "./testing/rig";

const salary = "billing.salary";
const zoom = "editor.zoom";

/** A change that holds a number no double can. */
const bad = (from: number, revision: number) =>
  JSON.stringify(change(from, revision, { [zoom]: entry("?", revision) })).replace('"?"', "1e400");

async function live() {
  const rig = new Rig();
  await rig.live({ [salary]: entry(3000, 5) });
  return rig;
}

const asked = (rig: Rig) => rig.socket.said("sync").map(({ revision }) => revision);

// Fault A3: a frame that could not be read was skipped, and the page said "connected".
describe("[D1] a change that cannot be read", () => {
  it("is asked for again from the device's revision", async () => {
    const rig = await live();
    rig.socket.events.message(bad(5, 6));
    expect(asked(rig)).toEqual([5]);
    expect(rig.snapshot.status.state).toBe("catching-up");
    expect(rig.reports).toEqual([
      expect.stringMatching(/^A frame of the server .*change: values\.editor\.zoom/),
    ]);
    rig.socket.say(change(5, 6, { [zoom]: entry(2, 6) }));
    expect(rig.field(zoom).value).toBe(2);
    expect(rig.snapshot.status.state).toBe("connected");
  });

  it("then everything is asked for, then nothing more, and it is said", async () => {
    const rig = await live();
    rig.socket.events.message(bad(5, 6));
    rig.socket.events.message(bad(5, 6));
    expect(asked(rig)).toEqual([5, 0]);
    rig.socket.events.message(bad(0, 6));
    for (let revision = 7; revision < 20; revision++) rig.socket.events.message(bad(revision - 1, revision));
    expect(asked(rig)).toEqual([5, 0]);
    expect(rig.snapshot.status).toEqual({ state: "unreadable" });
    expect(rig.field(salary).value).toBe(3000);
    expect(rig.reports).toHaveLength(1);
  });

  it("edits go on meanwhile, and the one that mends it ends it", async () => {
    const rig = await live();
    for (const from of [5, 5, 0]) rig.socket.events.message(bad(from, 6));
    rig.client.change(zoom, 1);
    expect(rig.socket.said("patch")).toMatchObject([{ set: { editor: { zoom: 1 } } }]);
    rig.socket.say(change(6, 7, { [zoom]: entry(1, 7, self.id) }));
    expect(asked(rig)).toEqual([5, 0, 5]);
    rig.socket.say(change(5, 7, { [zoom]: entry(1, 7, self.id) }));
    rig.socket.say({ type: "ack", id: "p1", revision: 7 });
    expect(rig.snapshot.status.state).toBe("connected");
    expect(rig.field(zoom)).toMatchObject({ value: 1, saving: "saved" });
  });

  it("on a fresh page never becomes its defaults", async () => {
    const rig = new Rig();
    await rig.start();
    rig.socket.open();
    rig.socket.say({ type: "welcome", session: "s", device: self, username: "u", epoch: "k", revision: 6 });
    rig.socket.events.message(bad(0, 6));
    rig.socket.say({ type: "ready", revision: 6 });
    expect(asked(rig)).toEqual([0]);
    expect(rig.snapshot).toMatchObject({ epoch: null, status: { state: "catching-up" } });
    rig.socket.events.message(bad(0, 6));
    expect(rig.snapshot).toMatchObject({ epoch: null, status: { state: "unreadable" } });
    expect(asked(rig)).toEqual([0]);
    rig.socket.say(change(0, 8, { [zoom]: entry(1, 8) }, "k"));
    expect(rig.snapshot).toMatchObject({ epoch: "k", revision: 8, status: { state: "connected" } });
  });

  it("[H1] of a stream, which begins anew with each sync, is asked for no more often", async () => {
    const rig = await live();
    const begin = (from: number) => {
      rig.socket.say({
        type: "welcome",
        session: "s",
        device: self,
        username: "u",
        epoch: "k3f9",
        revision: 6,
      });
      rig.socket.events.message(bad(from, 6));
      rig.socket.say({ type: "ready", revision: 6 });
    };
    rig.socket.events.message(bad(5, 6));
    for (const from of [5, 0, 0, 0]) begin(from);
    expect(asked(rig)).toEqual([5, 0]);
    expect(rig.snapshot.status).toEqual({ state: "unreadable" });
  });

  it("is asked for anew on a new link", async () => {
    const rig = await live();
    for (const from of [5, 5, 0]) rig.socket.events.message(bad(from, 6));
    await rig.comeBack();
    await rig.greet({ revision: 6, change: change(5, 6, { [zoom]: entry(1, 6) }) });
    expect(rig.snapshot.status.state).toBe("connected");
    expect(rig.field(zoom).value).toBe(1);
  });
});

describe("[D1] another frame that cannot be read", () => {
  const texts = {
    "text that is no JSON": '{"type":"ack","id":',
    "an ack without a revision": '{"type":"ack","id":"p1"}',
    "a refusal without an id": '{"type":"refused","code":"invalid"}',
    "a list of members that is none": '{"type":"presence","full":true,"devices":7}',
    "a ping without a seal": '{"type":"ping","revision":5}',
  };
  it.each(Object.entries(texts))("%s: a new link brings it anew, and no edit is lost", async (_, text) => {
    const rig = await live();
    rig.client.change(salary, 1);
    rig.socket.events.message(text);
    expect(rig.snapshot.status.state).toBe("offline");
    await rig.clock.advance(1000);
    await rig.greet({ revision: 5 });
    const [first, second] = rig.patches;
    expect(second).toEqual(first);
    rig.socket.say(change(5, 6, { [salary]: entry(1, 6, self.id) }));
    rig.socket.say({ type: "ack", id: "p1", revision: 6, duplicate: true });
    expect(rig.field(salary)).toMatchObject({ value: 1, saving: "saved" });
  });

  it("before ready too", async () => {
    const rig = new Rig();
    await rig.start();
    rig.socket.open();
    rig.socket.events.message('{"type":"ready"}');
    await rig.clock.advance(1000);
    await rig.greet();
    expect(rig.snapshot.status.state).toBe("connected");
  });

  it("on each new link: after two it stays, and says so", async () => {
    const rig = await live();
    for (let i = 0; i < 10; i++) {
      rig.socket.events.message("{");
      await rig.clock.advance(2000);
      if (rig.snapshot.status.state === "catching-up" || rig.snapshot.status.state === "connecting")
        await rig.greet({ revision: 5 });
    }
    expect(rig.sockets.all).toHaveLength(3);
    expect(rig.snapshot.status.state).toBe("unreadable");
    await rig.clock.advance(31_000);
    expect(rig.sockets.all).toHaveLength(4);
    await rig.greet({ revision: 5 });
    rig.socket.events.message("{");
    expect(rig.snapshot.status.state).toBe("unreadable");
    rig.socket.say({ type: "ping", revision: 5, seal: sealOf(new Map([[salary, { revision: 5 }]])) });
    expect(rig.snapshot.status.state).toBe("connected");
  });

  it("that is a hint only is let go", async () => {
    const rig = await live();
    rig.socket.events.message('{"type":"preview","set":7,"device":"d_2"}');
    rig.socket.events.message('{"type":"notice"}');
    expect(rig.snapshot.status.state).toBe("connected");
    expect(rig.reports).toHaveLength(1);
  });

  it("but a type of a later version is no fault at all", async () => {
    const rig = await live();
    const before = rig.snapshot;
    rig.socket.say({ type: "celebrate", revision: "x" });
    expect(rig.snapshot).toBe(before);
    expect(rig.reports).toEqual([]);
  });
});
