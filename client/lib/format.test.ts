import { expect, test } from "vitest";
import { dollarsText, monthsText, valueText } from "./format";

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
])("the value %j reads as %s", (value, words) => {
  expect(valueText(value)).toBe(words);
});
