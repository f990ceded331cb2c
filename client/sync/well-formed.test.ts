// @vitest-environment node
import { describe, expect, it } from "vitest";
import { createCalls } from "../lib/api-call";
import { userPath } from "../lib/next-path";
import { encodeFrame } from "./protocol";
import { encodeJson, urlPart, wellFormed } from "./well-formed";

// Fault A2: text that is no Unicode left the page, and the server ended the connection over it.
describe("[D3] what leaves the page", () => {
  it.each([
    ["half an emoji at the end", "cat \ud83d", "cat \ufffd"],
    ["the other half", "\ude00 cat", "\ufffd cat"],
    ["two first halves", "\ud83d\ud83d", "\ufffd\ufffd"],
    ["a whole one between halves", "\ude00😀\ud83d", "\ufffd😀\ufffd"],
    ["a whole emoji", "👩‍👩‍👧", "👩‍👩‍👧"],
    ["an escape that was typed", "\\ud83d", "\\ud83d"],
    ["a backslash before half an emoji", "\\\ud83d", "\\\ufffd"],
    ["two backslashes before half an emoji", "\\\\\ud83d", "\\\\\ufffd"],
    ["NUL, quotes, line ends", '\0"\n\u2028', '\0"\n\u2028'],
  ])("%s is well-formed", (_, text, sent) => {
    expect(JSON.parse(encodeJson(text))).toBe(sent);
    expect(wellFormed(text)).toBe(sent);
  });

  it("in names and in depth, and nothing else is changed", () => {
    const value = { "a\ud83d": [1, true, null, { b: "\ud83d" }], c: -1.5 };
    expect(wellFormed(value)).toEqual({ "a\ufffd": [1, true, null, { b: "\ufffd" }], c: -1.5 });
  });

  it("by every frame", () => {
    const set = { user: { username: "cat \ud83d" } };
    for (const frame of [
      { type: "patch", id: "a", set },
      { type: "preview", set },
      { type: "focus", field: "a.b\ud83d" },
    ] as const) {
      expect(encodeFrame(frame)).toContain("\ufffd");
      expect(encodeFrame(frame)).not.toMatch(/\\ud83d/);
    }
  });

  it("by every REST call, in its body and in its path", async () => {
    const bodies: unknown[] = [];
    const calls = createCalls({ accessToken: async () => null, renew: async () => null }, async (_, init) => {
      bodies.push(init?.body);
      return Response.json({});
    });
    await calls.open({ method: "POST", path: "/register", body: { deviceName: "cat \ud83d" } });
    expect(bodies).toEqual(['{"deviceName":"cat \ufffd"}']);
    expect(urlPart("cat \ud83d")).toBe("cat%20%EF%BF%BD");
    expect(userPath("cat \ud83d")).toBe("/app?user=cat%20%EF%BF%BD");
  });
});
