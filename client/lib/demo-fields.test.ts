import { expect, test } from "vitest";
import { fieldTitle, fieldValueText, savableEmail } from "./demo-fields";

test.each([
  ["", true],
  ["t", false],
  ["test6@", false],
  ["test6@example", false],
  ["test6@example.", false],
  ["test6@example.com", true],
  ["test6@mail.example.com", true],
  ["two words@example.com", false],
])("savableEmail(%j) is %s", (text, savable) => {
  expect(savableEmail(text)).toBe(savable);
});

test("a field of another schema is called by its own name", () => {
  expect(fieldTitle("billing.salary")).toBe("Salary");
  expect(fieldTitle("view.zoom")).toBe("view.zoom");
});

test.each([
  ["billing.salary", 3000, undefined, "$3,000"],
  ["billing.period", 3, undefined, "3 months"],
  ["user.username", "Ann", undefined, "“Ann”"],
  ["user.acceptedTerms", false, undefined, "no"],
  ["billing.salary", null, 2500, "$2,500 (default)"],
  ["billing.salary", undefined, undefined, "default"],
] as const)("%s is told in its own words: %j", (field, value, fallback, words) => {
  expect(fieldValueText(field, value, fallback)).toBe(words);
});
