// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import type { Link, LinkEvents, OpenLink } from "./link";
import { FakeEnvironment } from "./testing/fake-clock";
import { chosenLinks } from "./transport-choice";
import type { Transport } from "./types";

/** One attempt of one transport, played by hand. */
interface Attempt {
  readonly kind: Transport;
  readonly events: LinkEvents;
  closed: boolean;
}

const dayMs = 24 * 60 * 60 * 1000;
let env: FakeEnvironment;
let attempts: Attempt[];
let remembered: number | null;
let told: (string | number)[];
let throws: boolean;

beforeEach(() => {
  env = new FakeEnvironment();
  attempts = [];
  remembered = null;
  told = [];
  throws = false;
});

const kind =
  (transport: Transport): OpenLink =>
  (_, events) => {
    if (throws && transport === "websocket") throw new Error("forbidden");
    const attempt: Attempt = { kind: transport, events, closed: false };
    attempts.push(attempt);
    return { transport, send: () => {}, close: () => (attempt.closed = true) };
  };

let open: () => Link;
beforeEach(() => {
  const links = chosenLinks({
    webSocket: kind("websocket"),
    sse: kind("sse"),
    env,
    recall: () => remembered,
    remember: (until) => {
      remembered = until;
    },
  });
  open = () =>
    links(
      { token: "t", resume: null },
      {
        opened: () => told.push("opened"),
        heard: () => told.push("heard"),
        closed: (code) => told.push(code),
      },
    );
});

const kinds = () => attempts.map((attempt) => attempt.kind);
const last = () => attempts.at(-1)?.events;

describe("the choice of transport", () => {
  it("is a WebSocket that opens in time", async () => {
    const link = open();
    await env.clock.advance(2499);
    last()?.opened();
    await env.clock.advance(60_000);
    expect([kinds(), told, link.transport, remembered]).toEqual([
      ["websocket"],
      ["opened"],
      "websocket",
      null,
    ]);
  });

  it("turns to SSE in the same attempt when the socket does not open in 2.5 s", async () => {
    const link = open();
    await env.clock.advance(2500);
    expect(kinds()).toEqual(["websocket", "sse"]);
    expect(attempts[0]?.closed).toBe(true);
    last()?.opened();
    expect([told, link.transport]).toEqual([["opened"], "sse"]);
  });

  it("and at once when the socket fails or is forbidden", () => {
    open();
    last()?.closed(1006);
    expect(kinds()).toEqual(["websocket", "sse"]);
    throws = true;
    open();
    expect(kinds()).toEqual(["websocket", "sse", "sse"]);
    expect(env.clock.waiting()).toBe(0);
  });

  it("is remembered for a day, once the other way has worked", async () => {
    open();
    last()?.closed(1006);
    expect(remembered).toBeNull();
    last()?.opened();
    expect(remembered).toBe(env.now() + dayMs);
    open();
    expect(kinds()).toEqual(["websocket", "sse", "sse"]);
    last()?.opened();
    expect(remembered).toBe(env.now() + dayMs);
    await env.clock.advance(dayMs + 1);
    open();
    expect(kinds().at(-1)).toBe("websocket");
  });

  it("a server that is away is not a network without sockets", () => {
    open();
    last()?.closed(1006);
    last()?.closed(4506);
    expect([told, remembered]).toEqual([[1006], null]);
    open();
    expect(kinds().at(-1)).toBe("websocket");
  });

  it("what a stream says of the token counts even before it opens", () => {
    open();
    last()?.closed(1006);
    last()?.closed(4501);
    expect(told).toEqual([4501]);
  });

  it("turns to SSE after two sockets that broke off within 5 s of opening", async () => {
    for (let i = 0; i < 2; i++) {
      open();
      last()?.opened();
      await env.clock.advance(4999);
      last()?.closed(1006);
    }
    open();
    expect(kinds()).toEqual(["websocket", "websocket", "sse"]);
    last()?.opened();
    expect(remembered).not.toBeNull();
  });

  it("a close with a code, or a long life, proves that sockets work", async () => {
    for (const [life, code] of [
      [100, 1006],
      [100, 4000],
      [100, 1006],
      [5000, 1006],
      [100, 1006],
    ] as const) {
      open();
      last()?.opened();
      await env.clock.advance(life);
      last()?.closed(code);
    }
    open();
    expect(new Set(kinds())).toEqual(new Set(["websocket"]));
  });

  it("a date no clock of ours wrote is not believed", () => {
    remembered = env.now() + 400 * dayMs;
    open();
    expect(kinds()).toEqual(["websocket"]);
  });

  it("closing before it opened leaves nothing behind", async () => {
    open().close();
    await env.clock.advance(10_000);
    expect([kinds(), attempts[0]?.closed, told, env.clock.waiting()]).toEqual([["websocket"], true, [], 0]);
  });
});
