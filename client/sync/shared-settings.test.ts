// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import { memoryStorage } from "./browser-storage";
import { LiveSettings } from "./settings-client";
import { SharedSettings } from "./shared-settings";
import { parseTabMessage } from "./tab-messages";
import { FakeClock, FakeEnvironment, settle } from "./testing/fake-clock";
import { type FakeSocket, FakeSockets } from "./testing/fake-socket";
import { FakeBrowser, type FakeTab } from "./testing/fake-tabs";
import { change, defaults, entry, FakeTokens, member, other, self } from "./testing/rig";
import type { FieldName } from "./types";
import { webSocketLinks } from "./websocket-link";

const salary = "billing.salary";
const clock = new FakeClock();
let browser: FakeBrowser;
let sockets: FakeSockets;
let storage: ReturnType<typeof memoryStorage>;

beforeEach(() => {
  browser = new FakeBrowser();
  sockets = new FakeSockets();
  storage = memoryStorage();
});

interface Tab {
  readonly client: SharedSettings;
  readonly tab: FakeTab;
  readonly env: FakeEnvironment;
}

function make(id: string): Tab {
  const env = new FakeEnvironment(clock, () => 0.5, `${id}-`);
  const tab = browser.open(id);
  const makeLive = () =>
    new LiveSettings({
      username: "TestUser6",
      device: self,
      defaults,
      tokens: new FakeTokens(),
      openLink: webSocketLinks("ws://here/ws", sockets.make),
      storage,
      env,
    });
  return { client: new SharedSettings({ tabs: tab, env, makeLive }), tab, env };
}

async function open(id: string): Promise<Tab> {
  const tab = make(id);
  tab.client.start();
  await settle();
  return tab;
}

const field = ({ client }: Tab, name: FieldName = salary) => client.getSnapshot().fields[name];

async function greet(socket: FakeSocket = sockets.last, revision = 5) {
  socket.open();
  socket.say({ type: "welcome", session: "s", device: self, username: "u", epoch: "k3f9", revision });
  socket.say(change(0, 5, { [salary]: entry(3000, 5) }));
  socket.say({ type: "presence", full: true, devices: [member(self), member(other)] });
  socket.say({ type: "ready", revision });
  await settle();
}

/** Three tabs; the first leads and is connected. */
async function three(): Promise<[Tab, Tab, Tab]> {
  const first = await open("a");
  await greet();
  return [first, await open("b"), await open("c")];
}

async function store(revision: number, value: number, socket: FakeSocket = sockets.last) {
  const [patch] = socket.said("patch").slice(-1);
  socket.say(change(revision - 1, revision, { [salary]: entry(value, revision, self.id) }));
  socket.say({ type: "ack", id: patch?.id, revision, duplicate: false });
  await settle();
}

describe("several tabs", () => {
  it("hold one connection and show the same", async () => {
    const tabs = await three();
    expect(sockets.all).toHaveLength(1);
    for (const tab of tabs) {
      expect(tab.client.getSnapshot().status).toEqual({ state: "connected", transport: "websocket" });
      expect(field(tab)).toMatchObject({ value: 3000, origin: "stored" });
      expect(tab.client.getSnapshot()).toEqual(tabs[0].client.getSnapshot());
    }
  });

  it("an edit in a tab that follows shows there at once, and is saved", async () => {
    const tabs = await three();
    tabs[1].client.change(salary, 3100);
    expect(field(tabs[1])).toMatchObject({ value: 3100, origin: "local", saving: "sending" });
    await settle();
    expect(sockets.last.said("patch")).toMatchObject([{ set: { billing: { salary: 3100 } } }]);
    for (const tab of tabs) expect(field(tab)).toMatchObject({ value: 3100, saving: "sending" });
    await store(6, 3100);
    for (const tab of tabs) expect(field(tab)).toMatchObject({ value: 3100, saving: "saved" });
  });

  it("typing fast in a tab that follows never shows an older letter", async () => {
    const [, second] = await three();
    const shown: unknown[] = [];
    second.client.subscribe(() => shown.push(field(second, "user.username")?.value));
    for (const text of ["a", "ab", "abc", "abcd"]) {
      second.client.change("user.username", text);
      await Promise.resolve();
    }
    await settle();
    expect(shown).toEqual(shown.toSorted());
    expect(field(second, "user.username")?.value).toBe("abcd");
  });

  it("every action reaches the connection", async () => {
    const [, second] = await three();
    second.client.preview(salary, 1);
    second.client.focus(salary);
    second.client.focus(null);
    second.client.reset(salary);
    await settle();
    expect(sockets.last.said("preview")).toHaveLength(1);
    expect(sockets.last.said("focus").map((frame) => frame.field)).toEqual([salary, null]);
    expect(sockets.last.said("patch")).toMatchObject([{ set: { billing: { salary: null } } }]);
    expect(field(second)?.value).toBe(2500);
  });

  it("conflicts and confirmations are answered in any of them", async () => {
    const [, second, third] = await three();
    sockets.last.drop(1006);
    await settle();
    second.client.change(salary, 3500);
    await settle();
    expect(third.client.getSnapshot()).toMatchObject({ waiting: 1, status: { state: "offline" } });
    third.client.reconnect();
    await settle();
    await greet();
    const [patch] = sockets.last.said("patch");
    const current = { billing: { salary: entry(9000, 6) } };
    sockets.last.say({ type: "refused", id: patch?.id, code: "conflict", message: "", current });
    await settle();
    expect(field(third)?.conflict).toMatchObject({ mine: 3500, theirs: 9000 });
    third.client.resolve(salary, "mine");
    third.client.confirm(true);
    await settle();
    expect(sockets.last.said("patch").at(-1)).toMatchObject({ base: { billing: { salary: 6 } } });
  });

  it("a field that did not change is the same object, though it was cloned on the way", async () => {
    const [first, second] = await three();
    const before = second.client.getSnapshot();
    let told = 0;
    second.client.subscribe(() => told++);
    first.client.change("billing.period", 12);
    await settle();
    const after = second.client.getSnapshot();
    expect(after.fields["billing.period"]).not.toBe(before.fields["billing.period"]);
    expect(after.fields[salary]).toBe(before.fields[salary]);
    expect(after.devices).toBe(before.devices);
    expect(told).toBe(1);
  });

  it("[S6] what any of them shows to someone is seen", async () => {
    const [first, second] = await three();
    first.env.isVisible = false;
    second.env.isVisible = false;
    const third = await open("d");
    await clock.advance(1500);
    sockets.last.say(change(5, 6, { [salary]: entry(1, 6) }));
    await clock.advance(1500);
    expect(sockets.last.said("pong").at(-1)).toEqual({ type: "pong", seen: 6 });
    third.client.stop();
  });
});

describe("the lead changes hands", () => {
  it("when the leader closes, with everything it had", async () => {
    const [first, second] = await three();
    first.client.change(salary, 3100);
    const sent = sockets.last.said("patch");
    first.client.stop();
    await settle();
    expect(sockets.all).toHaveLength(2);
    expect(field(second)).toMatchObject({ value: 3100 });
    await greet();
    expect(sockets.last.said("patch")).toEqual(sent);
    await store(6, 3100);
    expect(field(second)).toMatchObject({ value: 3100, saving: "saved" });
  });

  it("when the leader dies without a word, edits of the others are not lost", async () => {
    const [first, second, third] = await three();
    browser.crash(first.tab);
    // Nobody heard this one: the leader was gone.
    third.client.change(salary, 3100);
    await settle();
    expect(sockets.all).toHaveLength(2);
    await greet();
    // Its person saw revision 5, whatever the new leader had read from storage.
    const sent = { set: { billing: { salary: 3100 } }, base: { billing: { salary: 5 } } };
    expect(sockets.last.said("patch")).toMatchObject([sent]);
    expect(field(second)).toMatchObject({ value: 3100 });
    await store(6, 3100);
    expect(field(third)).toMatchObject({ value: 3100, saving: "saved" });
  });

  it("[I3] an edit the leader took and had no time to confirm is not made twice", async () => {
    const [first, second] = await three();
    first.tab.mute = true;
    second.client.change(salary, 3100);
    await settle();
    const [sent] = sockets.last.said("patch");
    await store(6, 3100);
    browser.crash(first.tab);
    await settle();
    await greet(sockets.last, 6);
    const [again] = sockets.last.said("patch");
    expect(again).toMatchObject({ id: sent?.id, set: sent?.set });
    sockets.last.say({ type: "refused", id: again?.id, code: "id-reused", message: "Another body." });
    await settle();
    expect(field(second)).toMatchObject({ saving: "saved" });
  });

  it("when the leader sleeps and someone needs it", async () => {
    const [first, second] = await three();
    first.tab.frozen = true;
    second.client.change(salary, 3100);
    await clock.advance(1999);
    expect(sockets.all).toHaveLength(1);
    await clock.advance(1);
    expect(sockets.all).toHaveLength(2);
    await greet();
    expect(sockets.last.said("patch")).toHaveLength(1);
    first.tab.wake();
    await settle();
    expect(sockets.all[0]?.closedWith).toBe(1000);
    await store(6, 3100);
    expect(field(first)).toMatchObject({ value: 3100, saving: "saved" });
  });

  it("but not to a tab nobody looks at", async () => {
    const [first, second] = await three();
    first.tab.frozen = true;
    second.env.isVisible = false;
    second.client.change(salary, 3100);
    await clock.advance(10_000);
    expect(sockets.all).toHaveLength(1);
    second.env.isVisible = true;
    second.env.wake();
    await clock.advance(2000);
    expect(sockets.all).toHaveLength(2);
  });

  it("while the leader answers, nobody takes the lead", async () => {
    const [, second, third] = await three();
    for (let i = 0; i < 20; i++) {
      second.client.change(salary, i);
      third.env.wake();
      await clock.advance(1000);
    }
    expect(sockets.all).toHaveLength(1);
  });

  it("edits made before anyone leads are kept for whoever does", async () => {
    const { client } = make("z");
    client.start();
    client.change(salary, 1);
    expect(client.getSnapshot().fields[salary]).toMatchObject({ value: 1, saving: "waiting" });
    await settle();
    await greet(sockets.last, 5);
    expect(sockets.last.said("patch")).toMatchObject([{ base: { billing: { salary: 0 } } }]);
  });

  it("the last tab leaves nothing behind", async () => {
    const [first, second, third] = await three();
    third.client.stop();
    second.client.stop();
    first.client.stop();
    await clock.advance(5000);
    expect(sockets.all).toHaveLength(1);
    expect(sockets.last.closedWith).toBe(1000);
    expect([first, second, third].map(({ env }) => env.listeners())).toEqual([0, 0, 0]);
  });
});

describe("[D4] typing in a tab that follows", () => {
  it("is kept by the leader at once, and sent as one patch after a rest", async () => {
    const [, second] = await three();
    for (const text of ["G", "Gr", "Gra"]) {
      second.client.change("user.username", text, { typing: true });
      await clock.advance(200);
    }
    expect(field(second, "user.username")).toMatchObject({ value: "Gra", saving: "sending" });
    expect(sockets.last.said("patch")).toEqual([]);
    expect(sockets.last.said("preview").at(-1)?.set).toEqual({ user: { username: "Gra" } });
    second.client.compose("user.username");
    await clock.advance(2000);
    expect(sockets.last.said("patch")).toEqual([]);
    second.client.settle("user.username");
    await settle();
    expect(sockets.last.said("patch")).toMatchObject([{ set: { user: { username: "Gra" } } }]);
  });

  it("goes on in the next leader when the one before dies", async () => {
    const [first, second] = await three();
    second.client.change("user.username", "Gra", { typing: true });
    await settle();
    browser.crash(first.tab);
    await settle();
    await greet();
    await clock.advance(1000);
    expect(sockets.last.said("patch")).toMatchObject([{ set: { user: { username: "Gra" } } }]);
  });

  it("a tab where nothing was typed settles nothing", async () => {
    const [first, second, third] = await three();
    second.client.change("user.username", "Gra", { typing: true });
    await settle();
    for (const { client } of [first, third]) client.settle("user.username");
    await settle();
    expect(sockets.last.said("patch")).toEqual([]);
    second.client.settle("user.username");
  });
});

// Fault A3: what another tab said and could not be read was skipped.
describe("[D1] a leader that cannot be understood", () => {
  const gibberish = { type: "state", leader: "old", snapshot: { of: "another version" }, done: {} };

  it("is not shown as connected, and this tab takes the lead", async () => {
    const old = browser.open("old");
    old.lead(
      false,
      () => {},
      () => {},
    );
    const tab = await open("a");
    old.post(gibberish);
    await settle();
    expect(tab.client.getSnapshot().status).toEqual({ state: "unreadable" });
    await clock.advance(2000);
    await greet();
    expect(tab.client.getSnapshot().status.state).toBe("connected");
    expect(field(tab)).toMatchObject({ value: 3000 });
    tab.client.stop();
  });

  it("that takes it back is not robbed again", async () => {
    const old = browser.open("old");
    old.lead(
      false,
      () => {},
      () => {},
    );
    const tab = await open("a");
    old.post(gibberish);
    await clock.advance(2000);
    await greet();
    old.lead(
      true,
      () => {},
      () => {},
    );
    await settle();
    const before = sockets.all.length;
    for (let i = 0; i < 20; i++) {
      old.post(gibberish);
      await clock.advance(1000);
    }
    expect(sockets.all).toHaveLength(before);
    expect(tab.client.getSnapshot().status).toEqual({ state: "unreadable" });
  });
});

describe("what tabs tell each other", () => {
  it("is parsed: a tab of another version is not believed", () => {
    const broken = [
      null,
      "ask",
      { type: "else" },
      {
        type: "command",
        tab: "x",
        number: 1,
        command: { do: "change", field: "nodot", value: 1, id: "a", base: 0 },
      },
      { type: "command", tab: "x", number: 1, command: { do: "change", field: "a.b", value: 1 } },
      { type: "command", tab: "x", number: 1, command: { do: "delete everything" } },
      { type: "shown", revision: "5" },
    ];
    for (const message of broken) expect(parseTabMessage(message)).toBeNull();
    expect(parseTabMessage({ type: "ask" })).toEqual({ type: "ask" });
    expect(parseTabMessage({ type: "state", leader: "x", snapshot: {}, done: {} })).toBe("unreadable");
  });

  it("a whole snapshot with everything in it survives the way", async () => {
    const [first] = await three();
    const snapshot = {
      ...first.client.getSnapshot(),
      needsConfirm: {
        edits: [{ field: salary, value: 0, at: 1 }],
        changes: [{ field: salary, stored: entry(1, 2), deviceName: null }],
      },
      receipts: { revision: 5, seenBy: [other] },
      asking: [other],
      fields: {
        [salary]: {
          value: 1,
          stored: entry(1, 2),
          origin: "local",
          saving: "refused",
          error: "no",
          conflict: { mine: 1, mineAt: 7, theirs: null, device: "d", deviceName: null, at: "" },
          changedBy: { device: "d", deviceName: "n", at: "", revision: 2 },
        },
      },
    };
    const message = { type: "state", leader: "a", snapshot, done: { b: 3 } };
    expect(parseTabMessage(JSON.parse(JSON.stringify(message)))).toEqual(message);
  });
});
