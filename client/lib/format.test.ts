import { expect, test } from "vitest";
import { dollarsText, jsonText, monthsText, valueText } from "./format";

test("months agree with their number", () => {
  expect(monthsText(1)).toBe("1 month");
  expect(monthsText(3)).toBe("3 months");
});

test("dollars are grouped", () => {
  expect(dollarsText(0)).toBe("$0");
  expect(dollarsText(2500)).toBe("$2,500");
});

test.each([
  [null, "default"],
  ["", "empty"],
  ["Zoë", "“Zoë”"],
  [true, "yes"],
  [false, "no"],
  [10000, "10,000"],
  [["a"], '["a"]'],
  [0.123456789, "0.123456789"],
  [Number.MAX_SAFE_INTEGER, "9,007,199,254,740,991"],
])("the value %j reads as %s", (value, words) => {
  expect(valueText(value)).toBe(words);
});

// Fault of section 5: a number above 2⁵³ was shown as if it were exact.
test.each(["9007199254740993", "-9007199254740993", "[1,9007199254740993]", '{"a":{"b":1e300}}'])(
  "%s, which a browser holds only nearly, says so",
  (text) => {
    expect(valueText(JSON.parse(text))).toMatch(/^≈ /);
    expect(jsonText(JSON.parse(text))).toBe(`≈ ${JSON.stringify(JSON.parse(text))}`);
  },
);
