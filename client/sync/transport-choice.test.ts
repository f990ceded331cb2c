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

const minuteMs = 60_000;
let env: FakeEnvironment;
let attempts: Attempt[];
let remembered: number | null;
let told: (string | number)[];
let throws: boolean;
let offers: OpenLink[];

beforeEach(() => {
  env = new FakeEnvironment();
  attempts = [];
  remembered = null;
  told = [];
  throws = false;
  offers = [];
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
        offered: (open) => offers.push(open),
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

  // Fault C6: one slow socket led to a day of streams.
  it("is remembered for half a minute, once the other way has worked", async () => {
    const link = open();
    await env.clock.advance(2500);
    expect(remembered).toBeNull();
    last()?.opened();
    expect(remembered).toBe(env.now() + minuteMs / 2);
    link.close();
    open().close();
    expect(kinds()).toEqual(["websocket", "sse", "sse"]);
    await env.clock.advance(minuteMs / 2 + 1);
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
    remembered = env.now() + 16 * minuteMs;
    open();
    expect(kinds()).toEqual(["websocket"]);
  });

  it("closing before it opened leaves nothing behind", async () => {
    open().close();
    await env.clock.advance(10_000);
    expect([kinds(), attempts[0]?.closed, told, env.clock.waiting()]).toEqual([["websocket"], true, [], 0]);
  });
});

// Fault C6: slowness is no property of a network.
describe("beside a stream", () => {
  const start = { token: "t", resume: null };

  /** The stream is open, and the socket has not opened in time. */
  async function streaming(): Promise<Link> {
    const link = open();
    await env.clock.advance(2500);
    last()?.opened();
    return link;
  }

  /** Takes the newest offer, as the owner of the link does. */
  const take = () => {
    const answers: (string | number)[] = [];
    offers.at(-1)?.(start, {
      opened: () => answers.push("opened"),
      heard: () => answers.push("heard"),
      closed: (code) => answers.push(code),
    });
    return answers;
  };

  it("the socket is tried again after half a minute, then ever less often", async () => {
    await streaming();
    const waits: number[] = [];
    let since = env.now();
    while (waits.length < 7) {
      const before = offers.length;
      await env.clock.advance(1000);
      if (offers.length === before) continue;
      waits.push((env.now() - since) / minuteMs);
      since = env.now();
    }
    expect(waits).toEqual([0.5, 1, 2, 4, 8, 15, 15]);
    expect(told).toEqual(["opened"]);
  });

  it("a socket that opens late, yet opens, is as good as any", async () => {
    const link = await streaming();
    await env.clock.advance(minuteMs / 2);
    const answers = take();
    await env.clock.advance(14_999);
    last()?.opened();
    expect(answers).toEqual(["opened"]);
    link.close();
    open();
    expect(kinds()).toEqual(["websocket", "sse", "websocket", "websocket"]);
  });

  it("one that does not open in 15 s is given up, and the stream goes on", async () => {
    await streaming();
    await env.clock.advance(minuteMs / 2);
    const answers = take();
    await env.clock.advance(15_000);
    expect(answers).toEqual([1006]);
    expect(attempts.at(-1)?.closed).toBe(true);
    open();
    expect(kinds().at(-1)).toBe("sse");
  });

  it("on another network everything is forgotten, and the socket tried at once", async () => {
    const link = await streaming();
    env.wake();
    expect(offers).toHaveLength(0);
    env.changeNetwork();
    expect(offers).toHaveLength(1);
    link.close();
    await env.clock.advance(1);
    env.changeNetwork();
    open();
    expect(kinds()).toEqual(["websocket", "sse", "websocket"]);
  });

  it("two sockets that break off early bring the stream back, and are tried less often", async () => {
    await streaming();
    await env.clock.advance(minuteMs / 2);
    take();
    last()?.opened();
    last()?.closed(1006);
    open();
    expect(kinds().at(-1)).toBe("websocket");
    last()?.opened();
    last()?.closed(1006);
    open();
    expect(kinds().at(-1)).toBe("sse");
    last()?.opened();
    expect(remembered).toBe(env.now() + 2 * minuteMs);
  });

  it("nothing is left when it ends", async () => {
    const link = await streaming();
    link.close();
    expect([env.clock.waiting(), env.listeners()]).toEqual([0, 0]);
    await streaming();
    last()?.closed(1006);
    expect([env.clock.waiting(), env.listeners()]).toEqual([0, 0]);
  });
});
