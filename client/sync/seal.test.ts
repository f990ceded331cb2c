// @vitest-environment node
import { describe, expect, it } from "vitest";
import { fnv1a, sealOf } from "./seal";
import type { FieldName } from "./types";

const copy = (...keys: [FieldName, number][]) =>
  new Map(keys.map(([field, revision]) => [field, { revision }]));

describe("[S7] the seal", () => {
  it("is FNV-1a: the known answers of its authors", () => {
    expect(fnv1a("")).toBe(0x811c9dc5);
    expect(fnv1a("a")).toBe(0xe40c292c);
    expect(fnv1a("foobar")).toBe(0xbf9cf968);
  });

  it("is taken over UTF-8", () => {
    // Two bytes: c3 ab. Hashing UTF-16 units would give another number.
    const byHand = [0xc3, 0xab].reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
    expect(fnv1a("ë")).toBe(byHand);
  });

  it("of nothing is eight zeros", () => {
    expect(sealOf(copy())).toBe("00000000");
  });

  it("of one key is that key's hash", () => {
    expect(sealOf(copy(["billing.salary", 43]))).toBe(
      fnv1a("billing.salary:43").toString(16).padStart(8, "0"),
    );
  });

  it("is a sum modulo 2³²: the order does not matter", () => {
    const keys: [FieldName, number][] = [
      ["billing.salary", 43],
      ["user.email", 46],
      ["user.username", 1],
    ];
    const sum = keys.reduce(
      (total, [field, revision]) => (total + fnv1a(`${field}:${revision}`)) % 2 ** 32,
      0,
    );
    expect(sealOf(copy(...keys))).toBe(sum.toString(16).padStart(8, "0"));
    expect(sealOf(copy(...keys.toReversed()))).toBe(sealOf(copy(...keys)));
  });

  it("differs when any key's revision does", () => {
    expect(sealOf(copy(["a.b", 1], ["a.c", 2]))).not.toBe(sealOf(copy(["a.b", 2], ["a.c", 1])));
  });
});
