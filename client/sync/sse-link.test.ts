// @vitest-environment node
import { beforeEach, describe, expect, it } from "vitest";
import type { Link } from "./link";
import type { Cursor, ServerFrame, UnreadableFrame } from "./protocol";
import { sseLinks } from "./sse-link";
import { SseParser } from "./sse-parser";
import { FakeHttp, FakeStream, problem, turns } from "./testing/fake-http";
import { change, entry } from "./testing/rig";

let http: FakeHttp;
let stream: FakeStream;
let frames: (ServerFrame | UnreadableFrame | null)[];
let closes: number[];
let opened: number;
let link: Link;

beforeEach(() => {
  http = new FakeHttp();
  stream = new FakeStream();
  frames = [];
  closes = [];
  opened = 0;
});

function start(resume: Cursor | null = null) {
  const open = sseLinks({ events: "/events", settings: "/settings", send: http.send });
  link = open(
    { token: "t1", resume },
    { opened: () => opened++, heard: (frame) => frames.push(frame), closed: (code) => closes.push(code) },
  );
}

async function live() {
  start();
  http.last.answer(stream.response);
  await turns();
}

describe("[H1] the stream", () => {
  it("carries the token in a header and never in the URL", () => {
    start();
    expect(http.last).toMatchObject({ url: "/events", method: "GET" });
    expect(http.last.headers.get("Authorization")).toBe("Bearer t1");
    expect(http.last.headers.has("Last-Event-ID")).toBe(false);
  });

  it("[C6] resumes by Last-Event-ID", () => {
    start({ epoch: "k3f9", revision: 41 });
    expect(http.last.headers.get("Last-Event-ID")).toBe("k3f9.41");
  });

  it("brings the same frames", async () => {
    await live();
    expect(opened).toBe(1);
    stream.say({ type: "ready", revision: 46 });
    await turns();
    expect(frames).toEqual([{ type: "ready", revision: 46 }]);
  });

  it("lives on comments", async () => {
    await live();
    stream.write(": still here\n\n");
    await turns();
    expect(frames).toEqual([null]);
  });

  it("a character cut in two is whole again", async () => {
    await live();
    const bytes = new TextEncoder().encode('data: {"type":"bye","code":4000,"reason":"Zoë","retryIn":1}\n\n');
    for (const byte of bytes) stream.writeBytes(new Uint8Array([byte]));
    await turns();
    await turns();
    await turns();
    await turns();
    await turns();
    await turns();
    expect(frames).toMatchObject([{ type: "bye", reason: "Zoë" }]);
  });

  it("that ends is a connection that broke off", async () => {
    await live();
    stream.end();
    await turns();
    expect(closes).toEqual([1006]);
  });

  const ends: [string, () => Response, number][] = [
    ["204: the device was revoked (H3)", () => new Response(null, { status: 204 }), 4503],
    ["401: not signed in", () => problem(401, "unauthorized"), 4501],
    ["401 expired", () => problem(401, "expired"), 4001],
    ["401 revoked", () => problem(401, "revoked"), 4503],
    ["404: not a member (C3)", () => problem(404, "not-found"), 4506],
    ["404 of something in between", () => new Response("nothing here", { status: 404 }), 1006],
    ["429", () => problem(429, "rate-limited"), 4004],
    ["503", () => problem(503, "unavailable"), 1006],
  ];
  it.each(ends)("%s", async (_, response, code) => {
    start();
    http.last.answer(response());
    await turns();
    expect([opened, closes]).toEqual([0, [code]]);
  });

  it("of a network that is away breaks off", async () => {
    start();
    http.last.fail();
    await turns();
    expect(closes).toEqual([1006]);
  });

  it("closed by us says nothing more", async () => {
    await live();
    link.close();
    await turns();
    expect(http.requests[0]?.aborted()).toBe(true);
    link.send({ type: "sync", revision: 1 });
    expect([closes, frames, http.requests.length]).toEqual([[], [], 1]);
  });
});

describe("[S5] sync", () => {
  it("opens the stream anew from there, and the old one is not heard", async () => {
    await live();
    stream.say({ type: "ready", revision: 5 });
    stream.say({ ...change(0, 5, { "billing.salary": entry(1, 5) }) });
    await turns();
    link.send({ type: "sync", revision: 5 });
    expect(http.last.headers.get("Last-Event-ID")).toBe("k3f9.5");
    const next = new FakeStream();
    http.last.answer(next.response);
    await turns();
    next.say({ type: "ready", revision: 6 });
    await turns();
    expect(frames.at(-1)).toEqual({ type: "ready", revision: 6 });
    expect([opened, closes]).toEqual([1, []]);
  });

  it("of 0 asks for everything", async () => {
    await live();
    link.send({ type: "sync", revision: 0 });
    expect(http.last.headers.has("Last-Event-ID")).toBe(false);
  });
});

describe("[P7] patches", () => {
  const patch = {
    type: "patch",
    id: "p1",
    set: { billing: { salary: 3000 } },
    base: { billing: { salary: 41 } },
  } as const;

  it("go by PATCH as they are, without their type", async () => {
    await live();
    link.send(patch);
    const { type: _, ...body } = patch;
    expect(http.last).toMatchObject({ url: "/settings", method: "PATCH", body });
    expect(http.last.headers.get("Content-Type")).toBe("application/vnd.settings-sync.patch+json");
    expect(http.last.headers.get("Authorization")).toBe("Bearer t1");
  });

  it("[P2] the answer is an ack", async () => {
    await live();
    link.send(patch);
    http.last.answer(Response.json({ epoch: "k3f9", id: "p1", revision: 47, duplicate: true }));
    await turns();
    expect(frames).toEqual([{ type: "ack", id: "p1", revision: 47, duplicate: true }]);
  });

  it("[P4] a conflict carries the current values", async () => {
    await live();
    link.send(patch);
    const current = { billing: { salary: entry(9000, 43) } };
    const errors = [{ field: "billing.salary", message: "Changed since." }];
    http.last.answer(problem(409, "conflict", { current, errors }));
    await turns();
    expect(frames).toEqual([
      {
        type: "refused",
        id: "p1",
        code: "conflict",
        message: "Changed since.",
        field: "billing.salary",
        current,
      },
    ]);
  });

  it("[P3] Retry-After is retryIn", async () => {
    await live();
    link.send(patch);
    http.last.answer(problem(429, "rate-limited", {}, { "Retry-After": "3" }));
    await turns();
    expect(frames).toMatchObject([
      { type: "refused", code: "rate-limited", message: "It is rate-limited.", retryIn: 3000 },
    ]);
  });

  const ends: [string, () => Response, number][] = [
    ["401", () => problem(401, "expired"), 4001],
    ["404", () => problem(404, "not-found"), 4506],
    ["a proxy's 502", () => new Response("<h1>Bad gateway</h1>", { status: 502 }), 1006],
    // Fault A2: a proxy that lets no body of this size through was asked again for ever.
    ["[D2] a proxy's 413", () => new Response("<h1>Too large</h1>", { status: 413 }), 1009],
    ["a 200 that is no answer", () => Response.json({ hello: 1 }), 1006],
    ["a 200 without a body", () => new Response(""), 1006],
  ];
  it.each(ends)("%s ends the link, so that the patch is sent again (SPEC I3)", async (_, response, code) => {
    await live();
    link.send(patch);
    http.last.answer(response());
    await turns();
    expect([frames, closes]).toEqual([[], [code]]);
  });

  it("a network that breaks while one is on its way ends the link", async () => {
    await live();
    link.send(patch);
    http.last.fail();
    await turns();
    expect(closes).toEqual([1006]);
  });

  it("[A1] use the token of a renewal", async () => {
    await live();
    link.send({ type: "auth", token: "t2" });
    link.send(patch);
    expect(http.last.headers.get("Authorization")).toBe("Bearer t2");
  });

  it("hints have no way back and are dropped", async () => {
    await live();
    link.send({ type: "preview", set: { billing: { salary: 1 } } });
    link.send({ type: "focus", field: null });
    link.send({ type: "pong", seen: 1 });
    link.send({ type: "hello" });
    expect(http.requests).toHaveLength(1);
  });
});

describe("the parser of event streams", () => {
  const read = (...pieces: string[]) => {
    const parser = new SseParser();
    return pieces.flatMap(parser.push);
  };
  const event = (data: string) => ({ kind: "event", data });

  it("reads events however they are cut and however lines end", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const text = `event: change${end}id: k.1${end}data: one${end}${end}data:two${end}data: lines${end}${end}:x${end}`;
      const whole = [event("one"), event("two\nlines"), { kind: "alive" }];
      expect(read(`${text}${end}`, "\n")).toEqual(whole);
      expect(read(...`${text}${end}`, "\n")).toEqual(whole);
    }
  });

  it("skips what it does not need", () => {
    expect(read("\uFEFFretry: 10\nid\nevent: x\n\n", "data\n\n", "dat: a\n\n")).toEqual([event("")]);
  });

  it("keeps an event that is not finished", () => {
    expect(read("data: half")).toEqual([]);
    expect(read("data: half", " and half\n", "\n")).toEqual([event("half and half")]);
  });
});
