import { expect, test } from "vitest";
import { loginPath, nextPath, userPath } from "./next-path";

test("the way to a page survives logging in", () => {
  const asked = userPath("Zoë & co");
  const next = new URL(loginPath(asked), "http://localhost").searchParams.get("next");
  expect(nextPath(next)).toBe(asked);
});

test.each([
  null,
  "",
  "app",
  "//elsewhere.example",
  "/\\elsewhere.example",
  "https://elsewhere.example/",
  "/\t/elsewhere.example",
  "javascript:alert(1)",
  "/login?next=/login",
])("%j leads home, never away", (next) => {
  expect(nextPath(next)).toBe("/");
});
