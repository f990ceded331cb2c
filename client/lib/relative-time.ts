const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * How long ago `at` was, in the words a person would use: "just now", "5 min ago",
 * "2 h ago", "yesterday", "3 days ago", then a date. Clocks of two machines
 * differ, so a time slightly in the future is "just now" too.
 */
export function relativeTime(at: string, now: number): string {
  const then = Date.parse(at);
  if (Number.isNaN(then)) return "";
  const passed = now - then;
  if (passed < minute) return "just now";
  if (passed < hour) return `${Math.floor(passed / minute)} min ago`;
  if (passed < day) return `${Math.floor(passed / hour)} h ago`;
  if (passed < 2 * day) return "yesterday";
  if (passed < 14 * day) return `${Math.floor(passed / day)} days ago`;
  return `on ${new Date(then).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })}`;
}
