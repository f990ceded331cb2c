// @vitest-environment node
import { describe, expect, it } from "vitest";
import { fieldName, flatten, isFieldName, nested, sameJson, splitField } from "./field-name";

describe("field names", () => {
  it("are a block and a key", () => {
    expect(["billing.salary", "a.b.c"].every(isFieldName)).toBe(true);
    expect(["", "billing", ".salary", "billing.", "."].some(isFieldName)).toBe(false);
  });

  it("part at the first dot, since only keys may have one", () => {
    expect(splitField("app.window.width")).toEqual({ block: "app", key: "window.width" });
    expect(fieldName("app", "window.width")).toBe("app.window.width");
  });

  it("nest and flatten are opposites", () => {
    expect(nested("billing.salary", 7)).toEqual({ billing: { salary: 7 } });
    expect(flatten({ billing: { salary: 7, period: 3 }, user: { email: null } })).toEqual([
      ["billing.salary", 7],
      ["billing.period", 3],
      ["user.email", null],
    ]);
  });

  it("a block called __proto__ is a block like any other", () => {
    expect(JSON.stringify(nested("__proto__.x", 1))).toBe('{"__proto__":{"x":1}}');
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});

describe("sameJson", () => {
  const same = [
    [1, 1],
    [null, null],
    [undefined, undefined],
    [
      [1, [2]],
      [1, [2]],
    ],
    [
      { a: 1, b: [true] },
      { b: [true], a: 1 },
    ],
  ] as const;
  it.each(same)("%j equals %j", (a, b) => expect(sameJson(a, b)).toBe(true));

  const different = [
    [1, "1"],
    [0, false],
    [null, undefined],
    [null, {}],
    [[], {}],
    [[1], [1, 2]],
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ toString: 1 }, { a: 1 }],
  ] as const;
  it.each(different)("%j differs from %j", (a, b) => {
    expect(sameJson(a, b)).toBe(false);
    expect(sameJson(b, a)).toBe(false);
  });
});
