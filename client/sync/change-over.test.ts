// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import { Connection } from "./connection";
import type { ConnectionState } from "./connection-state";
import type { Cursor } from "./protocol";
import { FakeEnvironment, settle } from "./testing/fake-clock";
import { FakeSockets } from "./testing/fake-socket";
import { FakeTokens, self } from "./testing/rig";
import { webSocketLinks } from "./websocket-link";

// Fault C6: a stream gives way to a socket without a gap.
describe("changing over", () => {
  let env: FakeEnvironment;
  let sockets: FakeSockets;
  let beside: FakeSockets;
  let cursor: Cursor | null;
  let states: ConnectionState[];
  let connection: Connection;
  let offer: () => void;

  const state = () => connection.getState().state;

  /** Connected over `sockets`, with an offer to go over to `beside`. */
  beforeEach(async () => {
    env = new FakeEnvironment();
    sockets = new FakeSockets();
    beside = new FakeSockets();
    cursor = null;
    states = [];
    const openLink = webSocketLinks("ws://here/ws", sockets.make);
    connection = new Connection({
      env,
      tokens: new FakeTokens(),
      openLink: (start, events) => {
        offer = () => events.offered(webSocketLinks("ws://here/beside", beside.make));
        return openLink(start, events);
      },
      resume: () => cursor,
      onFrame: () => {},
      onState: (one) => states.push(one),
      onUnreadable: () => {},
      onBlamed: () => false,
    });
    connection.start();
    await settle();
    sockets.last.open();
    sockets.last.say({ type: "welcome", session: "s", device: self, username: "u", epoch: "e", revision: 0 });
    sockets.last.say({ type: "ready", revision: 0 });
    cursor = { epoch: "e", revision: 3 };
    states.length = 0;
    offer();
    await settle();
  });

  it("keeps the old link until the new one is open, and resumes from where the device stands", () => {
    expect([state(), sockets.last.closedWith]).toEqual(["connected", null]);
    connection.send({ type: "sync", revision: 3 });
    expect(sockets.last.said("sync")).toHaveLength(1);
    beside.last.open();
    expect(beside.last.sent).toEqual([{ type: "hello", token: "t1", resume: { epoch: "e", revision: 3 } }]);
    expect(sockets.last.closedWith).toBe(1000);
    beside.last.say({ type: "ready", revision: 3 });
    expect(states.map((one) => one.state)).toEqual(["catching-up", "connected"]);
    connection.send({ type: "sync", revision: 3 });
    expect(beside.last.said("sync")).toHaveLength(1);
    beside.last.drop(1006);
    expect(state()).toBe("offline");
  });

  it("a new link that does not open changes nothing", async () => {
    beside.last.drop(1006);
    expect([states, state(), sockets.last.closedWith]).toEqual([[], "connected", null]);
    offer();
    await settle();
    offer();
    await settle();
    expect(beside.all.map((one) => one.closedWith)).toEqual([null, 1000, null]);
  });

  it("neither outlives the connection", async () => {
    connection.stop("closed");
    expect([beside.last.closedWith, env.clock.waiting()]).toEqual([1000, 0]);
    offer();
    await settle();
    expect(beside.all).toHaveLength(1);
  });
});
