// @vitest-environment node
import { describe, expect, it } from "vitest";
import { memoryStorage } from "./browser-storage";
import { FakeClock } from "./testing/fake-clock";
import { change, entry, Rig, self } from "./testing/rig";

const username = "user.username";
const word = "Grace Hopper wrote"; // 18 keys

async function live() {
  const rig = new Rig();
  await rig.live({ [username]: entry("", 5) });
  return rig;
}

async function type(rig: Rig, text: string, keyMs = 150) {
  for (let end = 1; end <= text.length; end++) {
    rig.client.change(username, text.slice(0, end), { typing: true });
    if (end < text.length) await rig.clock.advance(keyMs);
  }
}

const patched = (rig: Rig) => rig.patches.map(({ set }) => set.user?.username);
const previewed = (rig: Rig) => rig.socket.said("preview").map(({ set }) => set.user?.username);

/** What another page of this device finds kept. */
async function kept(rig: Rig) {
  const next = new Rig({ storage: rig.storage, clock: rig.clock, idPrefix: "n" });
  await next.client.start();
  const view = next.field(username);
  next.client.stop();
  return view;
}

// Fault A4: 18 letters were 18 revisions.
describe("[D4] typing", () => {
  it("is one patch after a rest, and shown to the others letter by letter", async () => {
    const rig = await live();
    await type(rig, word);
    expect(patched(rig)).toEqual([]);
    expect(rig.field(username)).toMatchObject({ value: word, origin: "local", saving: "sending" });
    expect(previewed(rig)).toHaveLength(word.length);
    await rig.clock.advance(799);
    expect(patched(rig)).toEqual([]);
    await rig.clock.advance(1);
    expect(patched(rig)).toEqual([word]);
    expect(rig.field(username).saving).toBe("sending");
    rig.socket.say(change(5, 6, { [username]: entry(word, 6, self.id) }));
    rig.socket.say({ type: "ack", id: rig.patches[0]?.id, revision: 6 });
    expect(rig.field(username)).toMatchObject({ value: word, saving: "saved" });
    await rig.clock.advance(60_000);
    expect(patched(rig)).toEqual([word]);
  });

  it("is sent at once when the field is left, and once only", async () => {
    const rig = await live();
    await type(rig, "Grace");
    rig.client.settle(username);
    expect(patched(rig)).toEqual(["Grace"]);
    rig.client.settle(username);
    rig.client.change(username, "Grace");
    await rig.clock.advance(5000);
    expect(patched(rig)).toEqual(["Grace"]);
  });

  it("is kept at once: a page that ends after the last key loses none of it", async () => {
    const rig = await live();
    await type(rig, "Grace");
    await rig.client.written();
    expect(patched(rig)).toEqual([]);
    expect(await kept(rig)).toMatchObject({ value: "Grace", saving: "waiting" });
  });

  it("is sent when the client stops", async () => {
    const rig = await live();
    await type(rig, "Grace");
    rig.client.stop();
    expect(patched(rig)).toEqual(["Grace"]);
    await rig.clock.advance(1000);
    expect(rig.clock.waiting()).toBe(0);
  });

  it("goes on over a lost connection, and carries its base then", async () => {
    const rig = await live();
    await type(rig, "Gra");
    rig.socket.drop(1006);
    expect(rig.field(username)).toMatchObject({ value: "Gra", saving: "waiting" });
    expect(rig.snapshot.waiting).toBe(1);
    await type(rig, "Grace");
    await rig.clock.advance(2000);
    await rig.greet({ revision: 5 });
    expect(rig.patches).toMatchObject([
      { set: { user: { username: "Grace" } }, base: { user: { username: 5 } } },
    ]);
  });

  it("taken back before it rested is no change", async () => {
    const rig = await live();
    await type(rig, "G");
    rig.client.change(username, "", { typing: true });
    expect(rig.field(username)).toMatchObject({ value: "", saving: "saved" });
    await rig.clock.advance(5000);
    expect(patched(rig)).toEqual([]);
  });

  it("on while a patch is on its way is the next one patch", async () => {
    const rig = await live();
    await type(rig, "Gra");
    rig.client.settle(username);
    await type(rig, "Grace");
    rig.socket.say(change(5, 6, { [username]: entry("Gra", 6, self.id) }));
    rig.socket.say({ type: "ack", id: rig.patches[0]?.id, revision: 6 });
    expect(rig.field(username)).toMatchObject({ value: "Grace", saving: "sending" });
    expect(patched(rig)).toEqual(["Gra"]);
    await rig.clock.advance(800);
    expect(patched(rig)).toEqual(["Gra", "Grace"]);
  });

  it("of what cannot be saved as it is puts off what could be", async () => {
    const rig = await live();
    rig.client.change("user.email", "a@b.c", { typing: true });
    await rig.clock.advance(500);
    rig.client.preview("user.email", "a@b.", { save: false });
    await rig.clock.advance(500);
    rig.client.change("user.email", "a@b.org", { typing: true });
    await rig.clock.advance(800);
    expect(rig.patches.map(({ set }) => set.user?.email)).toEqual(["a@b.org"]);
  });

  it("holds up no other field, and a choice ends it", async () => {
    const rig = await live();
    await type(rig, "Gra");
    rig.client.change("billing.salary", 1);
    expect(rig.patches).toMatchObject([{ set: { billing: { salary: 1 } } }]);
    rig.client.reset(username);
    expect(patched(rig).at(-1)).toBeNull();
    await rig.clock.advance(5000);
    expect(rig.patches).toHaveLength(2);
  });

  it("with half an emoji is the same text here, there and kept", async () => {
    const rig = await live();
    await type(rig, "cat \ud83d");
    expect(rig.field(username).value).toBe("cat \ufffd");
    expect(previewed(rig).at(-1)).toBe("cat \ufffd");
    await rig.clock.advance(800);
    expect(patched(rig)).toEqual(["cat \ufffd"]);
    expect((await kept(rig)).value).toBe("cat \ufffd");
  });
});

describe("[D4] composing", () => {
  it("sends nothing, however long it takes, not even what was typed before it", async () => {
    const rig = await live();
    await type(rig, "ab");
    const before = previewed(rig).length;
    for (let i = 0; i < 10; i++) {
      rig.client.compose(username);
      await rig.clock.advance(3000);
    }
    expect(patched(rig)).toEqual([]);
    expect(previewed(rig)).toHaveLength(before);
    rig.client.change(username, "ab한", { typing: true });
    await rig.clock.advance(800);
    expect(patched(rig)).toEqual(["ab한"]);
  });

  it("that nobody ends holds back what was typed before for half a minute", async () => {
    const rig = await live();
    await type(rig, "ab");
    rig.client.compose(username);
    await rig.clock.advance(30_000);
    expect(patched(rig)).toEqual(["ab"]);
  });
});

// Fault A2: rows that an earlier version of the page had kept locked the browser out.
describe("[D3] an edit kept by an earlier version", () => {
  it("with half an emoji is healed and saved", async () => {
    const storage = memoryStorage();
    const edit = { id: "old1", value: "cat \ud83d", base: 0, at: Date.parse("2026-11-23T08:59:00Z") };
    const slot = { head: { ...edit, guarded: true, sent: true }, next: null, verdict: { is: "open" } };
    await storage.set("settings:d_1:TestUser6:edits", [[username, slot]]);
    const rig = new Rig({ storage, clock: new FakeClock() });
    await rig.live();
    expect(rig.patches).toEqual([
      {
        type: "patch",
        id: "old1",
        set: { user: { username: "cat \ufffd" } },
        base: { user: { username: 0 } },
      },
    ]);
  });
});
