// @vitest-environment node
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseServerFrame } from "./protocol";

interface ValueText {
  readonly name: string;
  readonly text: string;
  readonly refused?: string;
}

const file = new URL("../../server/internal/protocol/testdata/values.json", import.meta.url);
const values: ValueText[] = JSON.parse(readFileSync(fileURLToPath(file), "utf8"));
const taken = values.filter((value) => value.refused === undefined);
const unreadable = values.filter((value) => value.refused === "double" || value.refused === "__proto__");

/** What a page makes of a value, in each frame that brings one. Undefined: the frame is not understood. */
function read(text: string): unknown[] {
  const entry = `{"value":${text},"revision":1,"device":"d_1","at":"2026-11-23T09:00:00.000Z"}`;
  const values = (value: string) => `{"constructor":{"toString":${value}}}`;
  const frames = [
    `{"type":"change","epoch":"e","from":0,"revision":1,"values":${values(entry)}}`,
    `{"type":"refused","id":"a","code":"conflict","message":"","current":${values(entry)}}`,
    `{"type":"ack","id":"a","revision":1,"overwrote":${values(`{"value":${text},"device":"d_1","revision":1}`)}}`,
    `{"type":"preview","set":${values(text)},"device":"d_1"}`,
  ].map(parseServerFrame);
  return frames.map((frame) => {
    const of = (blocks: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined) =>
      blocks?.constructor?.toString as unknown;
    if (frame?.type === "change") return (of(frame.values) as { value: unknown } | undefined)?.value;
    if (frame?.type === "refused") return (of(frame.current) as { value: unknown } | undefined)?.value;
    if (frame?.type === "ack") return (of(frame.overwrote) as { value: unknown } | undefined)?.value;
    if (frame?.type === "preview") return of(frame.set);
    return undefined;
  });
}

describe("values that the server takes", () => {
  it.each(taken)("[V7] $name is read by this client as JSON.parse does", ({ text }) => {
    for (const value of read(text)) expect(value).toStrictEqual(JSON.parse(text));
  });
});

describe("values that the server refuses", () => {
  it.each(unreadable)("[V7] $name would not be", ({ text }) => {
    for (const value of read(text)) expect(value).not.toStrictEqual(JSON.parse(text));
  });
});
