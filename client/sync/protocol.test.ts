// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type ClientFrame, encodeFrame, parseServerFrame } from "./protocol";

const goldens = fileURLToPath(new URL("../../server/internal/protocol/testdata/", import.meta.url));
const read = (name: string) => readFileSync(goldens + name, "utf8");
const names = (folder: string) => readdirSync(goldens + folder).filter((name) => name.endsWith(".json"));

describe("golden frames of the server", () => {
  it.each(names("server"))("[E3] %s is understood, and nothing of it is lost", (name) => {
    const text = read(`server/${name}`);
    const frame = parseServerFrame(text);
    expect(frame).not.toBeNull();
    // Members this client has no use for may be dropped, but none may be changed.
    expect(JSON.parse(text)).toMatchObject(JSON.parse(JSON.stringify(frame)));
  });

  it("[V2] a value with escapes is read as the text it stands for", () => {
    const frame = parseServerFrame(read("server/change-whole.json"));
    expect(frame?.type === "change" && frame.values.user?.username?.value).toBe("Zoë");
  });
});

describe("golden frames of a device", () => {
  const frames: Record<string, ClientFrame> = {
    "hello-first.json": { type: "hello" },
    "hello.json": {
      type: "hello",
      token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
      resume: { epoch: "k3f9", revision: 41 },
    },
    "auth.json": { type: "auth", token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln" },
    "focus.json": { type: "focus", field: "billing.salary" },
    "focus-nothing.json": { type: "focus", field: null },
    "patch.json": {
      type: "patch",
      id: "01JH8Z6Q4N5C",
      set: { billing: { salary: 3000 }, user: { email: null } },
      base: { billing: { salary: 41 } },
    },
    "pong.json": { type: "pong", seen: 46 },
    "preview.json": { type: "preview", set: { billing: { salary: 2710 } } },
    "sync.json": { type: "sync", revision: 45 },
  };

  it.each(Object.entries(frames))("[E3] %s is what this client writes, byte for byte", (name, frame) => {
    expect(encodeFrame(frame)).toBe(read(`client/${name}`).trim());
  });

  it("[V2] the verbatim patch is the same value, whatever its escapes", () => {
    const frame: ClientFrame = { type: "patch", id: "a", set: { user: { username: "Zoë 😀 é" } } };
    expect(JSON.parse(encodeFrame(frame))).toEqual(JSON.parse(read("client/patch-verbatim.json")));
  });

  it("[E3] no golden frame is left out", () => {
    expect(names("client").sort()).toEqual([...Object.keys(frames), "patch-verbatim.json"].sort());
  });
});

describe("frames that are none", () => {
  const understood = (text: string) => {
    const frame = parseServerFrame(text);
    return frame !== null && frame.type !== "unreadable";
  };

  // Whatever a server must refuse, this client never takes for an order either.
  // server-frame.json is refused by a server only because a device may not send it.
  const refused = names("refused").filter((name) => name !== "server-frame.json");

  it.each(refused)("[E3] %s is not understood", (name) => {
    expect(understood(read(`refused/${name}`))).toBe(false);
  });

  const broken = {
    "a revision that is no whole number": { type: "ready", revision: 1.5 },
    "a negative revision": { type: "ready", revision: -1 },
    "a revision no double can hold": { type: "ready", revision: 2 ** 60 },
    "a change without an epoch": { type: "change", from: 0, revision: 1, values: {} },
    "an entry without a value": {
      type: "change",
      epoch: "e",
      from: 0,
      revision: 1,
      values: { a: { b: { revision: 1, device: "d", at: "" } } },
    },
    "a block that is a list": { type: "preview", set: { billing: [1] }, device: "d_1" },
  };
  // Fault A3: a frame that could not be read was taken for news of a later version.
  it.each(Object.entries(broken))("[D1] %s is unreadable", (_, frame) => {
    expect(parseServerFrame(JSON.stringify(frame))).toMatchObject({ type: "unreadable", of: frame.type });
  });

  it.each(["", "{", "null", "[]", '"ping"', '{"type":7}', "<html>"])(
    "[D1] %j is unreadable, of no type",
    (text) => {
      expect(parseServerFrame(text)).toMatchObject({ type: "unreadable", of: null });
    },
  );

  it("[D1] a number no double can hold makes its change unreadable, and where is said without the value", () => {
    const values = '{"editor":{"zoom":{"value":1e400,"revision":1,"device":"d","at":""}}}';
    const text = `{"type":"change","epoch":"e","from":0,"revision":1,"values":${values}}`;
    const frame = parseServerFrame(text);
    expect(frame).toMatchObject({ type: "unreadable", of: "change" });
    expect(frame?.type === "unreadable" && frame.why).toMatch(/^values\.editor\.zoom/);
  });
});

describe("a later server", () => {
  it("may send types this client does not know, which are ignored", () => {
    expect(parseServerFrame('{"type":"celebrate","revision":1}')).toBeNull();
  });

  it("may say more than this client knows", () => {
    const text = '{"type":"ready","revision":7,"mood":"good"}';
    expect(parseServerFrame(text)).toEqual({ type: "ready", revision: 7 });
  });

  it("[P3] an unknown refusal is still a refusal", () => {
    const text = '{"type":"refused","id":"a","code":"full-moon","message":"Not today."}';
    expect(parseServerFrame(text)).toMatchObject({ type: "refused", code: "invalid", message: "Not today." });
  });

  it.each([
    '{"type":"refused","id":"a","code":"conflict","current":{"a":{"b":{"value":1e400}}}}',
    '{"type":"ack","id":"a","revision":7,"overwrote":{"a":{"b":{"value":1e400}}}}',
  ])("[D1] an answer is read even if a value that comes along cannot be: %s", (text) => {
    expect(parseServerFrame(text)).toMatchObject({ id: "a" });
  });

  it("[L2] a focus on what is no field is a focus on nothing", () => {
    const device = {
      id: "d",
      name: "n",
      online: true,
      sessions: 1,
      lastSeen: null,
      focus: "everything",
      seen: 0,
    };
    const frame = parseServerFrame(JSON.stringify({ type: "presence", full: true, devices: [device] }));
    expect(frame?.type === "presence" && frame.devices[0]?.focus).toBeNull();
  });
});
