// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import { Connection } from "./connection";
import type { ConnectionState } from "./connection-state";
import type { Cursor, ServerFrame } from "./protocol";
import { FakeEnvironment, settle } from "./testing/fake-clock";
import { FakeSockets } from "./testing/fake-socket";
import { FakeTokens, self } from "./testing/rig";
import { webSocketLinks } from "./websocket-link";

let env: FakeEnvironment;
let sockets: FakeSockets;
let tokens: FakeTokens;
let cursor: Cursor | null;
let frames: ServerFrame[];
let states: ConnectionState[];
let connection: Connection;

beforeEach(() => {
  env = new FakeEnvironment();
  sockets = new FakeSockets();
  tokens = new FakeTokens();
  cursor = null;
  frames = [];
  states = [];
  connection = new Connection({
    env,
    tokens,
    openLink: webSocketLinks("ws://here/ws", sockets.make),
    resume: () => cursor,
    onFrame: (frame) => frames.push(frame),
    onUnreadable: () => {},
    onBlamed: () => false,
    onState: (state) => states.push(state),
  });
});

const clock = { advance: (ms: number) => env.clock.advance(ms) };
const state = () => connection.getState().state;

async function opened() {
  connection.start();
  await settle();
  sockets.last.open();
}

function greet() {
  sockets.last.say({ type: "welcome", session: "s", device: self, username: "u", epoch: "e", revision: 0 });
  sockets.last.say({ type: "ready", revision: 0 });
}

async function connected() {
  await opened();
  greet();
  expect(state()).toBe("connected");
}

/** Exactly the back-off passes, and the new socket opens. */
async function again() {
  const now = connection.getState();
  if (now.state === "offline") await clock.advance(now.retryAt - env.now());
  sockets.last.open();
}

describe("opening", () => {
  it("[C1] offers the subprotocol, and [C3] keeps the token out of the URL", async () => {
    await opened();
    expect(sockets.last.protocol).toBe("settings-sync.v1");
    expect(sockets.last.url).not.toContain("t1");
  });

  it("[C4] says hello first, once the socket is open", async () => {
    connection.start();
    await settle();
    expect(sockets.last.sent).toEqual([]);
    sockets.last.open();
    expect(sockets.last.sent).toEqual([{ type: "hello", token: "t1" }]);
  });

  it("[C6] resumes where the device stands at that moment", async () => {
    await connected();
    cursor = { epoch: "e", revision: 41 };
    sockets.last.drop(1006);
    await again();
    expect(sockets.last.sent[0]).toEqual({ type: "hello", token: "t1", resume: cursor });
  });

  it("[C9] says hello only once per socket", async () => {
    await connected();
    sockets.last.open();
    expect(sockets.last.said("hello")).toHaveLength(1);
  });

  it("a socket that never opens is given up", async () => {
    connection.start();
    await clock.advance(15_000);
    expect(sockets.all[0]?.closedWith).toBe(1000);
    expect(state()).toBe("offline");
  });

  it("a browser that refuses a socket by throwing is like one that broke", async () => {
    const broken = new Connection({
      env,
      tokens,
      openLink: () => {
        throw new Error("forbidden by policy");
      },
      resume: () => null,
      onFrame: () => {},
      onUnreadable: () => {},
      onBlamed: () => false,
      onState: () => {},
    });
    broken.start();
    await settle();
    expect(broken.getState().state).toBe("offline");
  });
});

describe("one socket", () => {
  it("late events of a replaced socket are not heard", async () => {
    await connected();
    const [old] = sockets.all;
    old?.drop(1006);
    await again();
    greet();
    const before = frames.length;
    old?.say({ type: "ready", revision: 9 });
    old?.drop(4503);
    old?.open();
    expect(frames).toHaveLength(before);
    expect(state()).toBe("connected");
    expect(sockets.all).toHaveLength(2);
  });

  // Fault C11: a proxy that compresses a stream passes on its headers, and holds back its events.
  it("a link that opens and says nothing is given up after 15 s", async () => {
    await opened();
    await clock.advance(14_999);
    expect(state()).toBe("catching-up");
    await clock.advance(1);
    expect(state()).toBe("offline");
  });

  it("a token that arrives after stop opens nothing", async () => {
    connection.start();
    connection.stop("closed");
    await settle();
    expect(sockets.all).toHaveLength(0);
  });

  it("asking twice does not make two", async () => {
    connection.start();
    connection.reconnect();
    connection.reconnect();
    await settle();
    expect(sockets.all.filter(({ closedWith }) => closedWith === null)).toHaveLength(1);
  });

  it("stop closes the socket, and leaves no timer and no listener", async () => {
    await connected();
    connection.stop("closed");
    expect(sockets.last.closedWith).toBe(1000);
    expect(env.clock.waiting()).toBe(0);
    expect(env.listeners()).toBe(0);
    expect(state()).toBe("stopped");
  });

  it("frames are not sent when there is no link", async () => {
    connection.send({ type: "sync", revision: 1 });
    await connected();
    sockets.last.drop(1006);
    const said = sockets.last.sent.length;
    connection.send({ type: "sync", revision: 1 });
    expect(sockets.last.sent).toHaveLength(said);
  });
});

describe("coming back", () => {
  it("[E1] waits longer each time until 30 s of good connection", async () => {
    await connected();
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      sockets.last.drop(1006);
      const now = connection.getState();
      waits.push(now.state === "offline" ? now.retryAt - env.now() : -1);
      await again();
      greet();
    }
    expect(waits).toEqual([250, 500, 1000, 2000]);
    await clock.advance(30_000);
    sockets.last.drop(1006);
    const last = connection.getState();
    expect(last.state === "offline" && last.retryAt - env.now()).toBe(250);
  });

  it("[E5] bye.retryIn is honoured to the millisecond", async () => {
    await connected();
    sockets.last.say({ type: "bye", code: 4000, reason: "restart", retryIn: 8400 });
    sockets.last.drop(4000);
    await clock.advance(8399);
    expect(sockets.all).toHaveLength(1);
    await clock.advance(1);
    expect(sockets.all).toHaveLength(2);
  });

  it("[E5] a bye whose close frame got lost still counts", async () => {
    await connected();
    sockets.last.say({ type: "bye", code: 4503, reason: "revoked" });
    sockets.last.drop(1006);
    expect(connection.getState()).toEqual({ state: "stopped", reason: "revoked" });
  });

  it("the network coming back, or the window, cuts the wait short", async () => {
    await connected();
    sockets.last.drop(1006);
    env.wake();
    await settle();
    expect(sockets.all).toHaveLength(2);
  });

  it("[E1] a final close ends it, whatever happens outside", async () => {
    await connected();
    sockets.last.drop(4504);
    env.wake();
    await clock.advance(600_000);
    expect(sockets.all).toHaveLength(1);
  });

  it("after a final close the person may try again, and waking works again", async () => {
    await connected();
    sockets.last.drop(4504);
    connection.reconnect();
    await settle();
    expect(sockets.all).toHaveLength(2);
    sockets.last.drop(1006);
    env.wake();
    await settle();
    expect(sockets.all).toHaveLength(3);
    expect(env.listeners()).toBe(1);
  });
});

describe("silence", () => {
  it("[S6] after 35 s without a frame it asks, and 10 s later it leaves", async () => {
    await connected();
    await clock.advance(34_999);
    expect(sockets.last.said("sync")).toHaveLength(0);
    await clock.advance(1);
    expect(sockets.last.said("sync")).toHaveLength(1);
    await clock.advance(9_999);
    expect(state()).toBe("connected");
    await clock.advance(1);
    expect(sockets.all[0]?.closedWith).toBe(1000);
    expect(state()).not.toBe("connected");
  });

  it("[S5] any answer is a sign of life", async () => {
    await connected();
    await clock.advance(36_000);
    sockets.last.say({ type: "change", epoch: "e", from: 0, revision: 0, values: {} });
    await clock.advance(30_000);
    expect(state()).toBe("connected");
    expect(sockets.all).toHaveLength(1);
  });

  it("a frame it does not understand is a sign of life too", async () => {
    await connected();
    await clock.advance(34_000);
    sockets.last.say({ type: "celebrate" });
    await clock.advance(34_000);
    expect(sockets.last.said("sync")).toHaveLength(0);
  });

  it("a greeting that stops half-way is given up", async () => {
    await opened();
    await clock.advance(45_000);
    expect(sockets.all[0]?.closedWith).toBe(1000);
  });

  it("waking more than once asks once", async () => {
    await connected();
    for (let i = 0; i < 3; i++) env.wake();
    expect(sockets.last.said("sync")).toHaveLength(1);
    sockets.last.say({ type: "change", epoch: "e", from: 0, revision: 0, values: {} });
    env.wake();
    expect(sockets.last.said("sync")).toHaveLength(2);
  });

  // Fault C9: after sleep, old values were called current for up to 45 s.
  it.each([
    ["by an event", () => env.wake()],
    ["by its own timer alone", () => {}],
  ])("a page that slept through the silence it allows is not connected when it wakes %s", async (_, wake) => {
    await connected();
    states.length = 0;
    const slept = env.clock.sleep(60_000);
    wake();
    await slept;
    expect(states.map((one) => one.state)).toEqual(["offline", "connecting"]);
    expect(sockets.all.map((one) => one.closedWith)).toEqual([1000, null]);
  });

  it("a sleep shorter than that is answered by asking", async () => {
    await connected();
    const slept = env.clock.sleep(30_000);
    env.wake();
    await slept;
    expect(sockets.last.said("sync")).toHaveLength(1);
    expect(state()).toBe("connected");
  });

  it("waking on a link that may be dead asks at once", async () => {
    await connected();
    env.wake();
    expect(sockets.last.said("sync")).toHaveLength(1);
    await clock.advance(10_000);
    expect(sockets.all[0]?.closedWith).toBe(1000);
  });
});

describe("tokens", () => {
  it("[E1] 4001: a new token before coming back", async () => {
    await connected();
    sockets.last.drop(4001);
    await again();
    expect(tokens.renewals).toBe(1);
    expect(sockets.last.sent[0]).toEqual({ type: "hello", token: "t2" });
  });

  it("[E1] 4501: one new token, and the second time it stops", async () => {
    await opened();
    sockets.last.drop(4501);
    await again();
    expect(sockets.last.sent[0]).toEqual({ type: "hello", token: "t2" });
    sockets.last.drop(4501);
    expect(connection.getState()).toEqual({ state: "stopped", reason: "signed-out" });
    expect(tokens.renewals).toBe(1);
  });

  it("no token at all is signed out", async () => {
    tokens.signedOut = true;
    connection.start();
    await settle();
    expect(connection.getState()).toEqual({ state: "stopped", reason: "signed-out" });
    expect(sockets.all).toHaveLength(0);
  });

  it("a token source that cannot be reached is only offline, and still renews when it can", async () => {
    await connected();
    tokens.unreachable = true;
    sockets.last.drop(4001);
    await clock.advance(60_000);
    expect(sockets.all).toHaveLength(1);
    expect(state()).not.toBe("stopped");
    tokens.unreachable = false;
    await clock.advance(20_000);
    expect(sockets.all).toHaveLength(2);
    sockets.last.open();
    expect(sockets.last.sent[0]).toEqual({ type: "hello", token: "t2" });
  });

  it("[A1] authDue renews on the live link", async () => {
    await connected();
    sockets.last.say({ type: "authDue", in: 120 });
    await settle();
    expect(sockets.last.said("auth")).toEqual([{ type: "auth", token: "t2" }]);
    expect(state()).toBe("connected");
  });

  it("[A1] a renewal that fails is tried again while the link lives", async () => {
    await connected();
    tokens.unreachable = true;
    sockets.last.say({ type: "authDue", in: 120 });
    await clock.advance(12_000);
    expect(sockets.last.said("auth")).toHaveLength(0);
    tokens.unreachable = false;
    await clock.advance(5_000);
    expect(sockets.last.said("auth")).toHaveLength(1);
  });

  it("[A3] a renewal that comes after the link is gone is sent nowhere", async () => {
    await connected();
    sockets.last.say({ type: "authDue", in: 120 });
    sockets.last.drop(1006);
    await again();
    expect(sockets.all.flatMap((socket) => socket.said("auth"))).toHaveLength(0);
  });
});

describe("states", () => {
  it("are told in order, each once", async () => {
    await connected();
    sockets.last.drop(1006);
    await again();
    const told = states.map(({ state }) => state);
    expect(told).toEqual(["connecting", "catching-up", "connected", "offline", "connecting", "catching-up"]);
  });

  it("[A2] 4506 after a welcome means that this device is a member no longer", async () => {
    await connected();
    sockets.last.drop(4506);
    expect(connection.getState()).toEqual({ state: "stopped", reason: "disjoined" });
  });

  it("[C4] 4506 without one means that it never was", async () => {
    await opened();
    sockets.last.drop(4506);
    expect(connection.getState()).toEqual({ state: "stopped", reason: "not-a-member" });
  });

  it("[E4] takes the server's frames per second", async () => {
    await opened();
    const limits = { framesPerSecond: 2 };
    const welcome = {
      type: "welcome",
      session: "s",
      device: self,
      username: "u",
      epoch: "e",
      revision: 0,
      limits,
    };
    sockets.last.say(welcome);
    connection.send({ type: "pong", seen: 0 });
    expect(connection.waitMs()).toBe(0);
    connection.send({ type: "pong", seen: 0 });
    expect(connection.waitMs()).toBe(1000);
  });
});
