import { expect, test } from "vitest";
import { fieldTitle, savableEmail } from "./demo-fields";

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
