import { expect, test } from "vitest";
import { relativeTime } from "./relative-time";

const now = Date.parse("2026-11-23T12:00:00.000Z");

test.each([
  ["a clock slightly ahead", "2026-11-23T12:00:03.000Z", "just now"],
  ["seconds", "2026-11-23T11:59:30.000Z", "just now"],
  ["minutes", "2026-11-23T11:55:00.000Z", "5 min ago"],
  ["hours", "2026-11-23T09:30:00.000Z", "2 h ago"],
  ["a day", "2026-11-22T10:00:00.000Z", "yesterday"],
  ["days", "2026-11-19T10:00:00.000Z", "4 days ago"],
  ["long ago", "2026-01-05T10:00:00.000Z", "on 5 Jan 2026"],
  ["no time at all", "soon", ""],
])("%s", (_, at, words) => {
  expect(relativeTime(at, now)).toBe(words);
});
