import { describe, expect, test, vi } from "vitest";
import { ApiError, unreachable } from "./api-error";
import { byDay, dayName, withNewest } from "./history";
import { HistoryFeed } from "./history-feed";
import type { Change, HistoryPage } from "./history-types";

const now = Date.parse("2026-11-23T12:00:00");

function change(
  revision: number,
  at = "2026-11-23T09:00:00",
  field: Change["field"] = "billing.salary",
): Change {
  return { field, value: revision, previous: undefined, revision, at, device: { id: "d_1", name: "Chrome" } };
}

function page(revisions: readonly number[], next: number | null): HistoryPage {
  return { changes: revisions.map((revision) => change(revision)), next };
}

test("changes of one patch stand together, below the name of their day", () => {
  const days = byDay(
    [change(4), change(3), change(3, "2026-11-23T09:00:00", "user.email"), change(2, "2026-11-22T23:59:00")],
    now,
  );
  expect(days.map(({ day, revisions }) => [day, revisions.map((one) => one.changes.length)])).toEqual([
    ["Today", [1, 2]],
    ["Yesterday", [1]],
  ]);
});

test("a day long ago is a date", () => {
  expect(dayName("2026-03-01T10:00:00", now)).toBe("1 March 2026");
});

describe("the newest page read again", () => {
  test("goes before what was read of older ones", () => {
    const merged = withNewest(page([5, 4, 3, 2], null), page([6, 5, 4], 4));
    expect(merged.changes.map(({ revision }) => revision)).toEqual([6, 5, 4, 3, 2]);
    expect(merged.next).toBeNull();
  });

  test("replaces a history it does not meet, so that there is no hole", () => {
    const merged = withNewest(page([5, 4], 4), page([9, 8], 8));
    expect(merged).toEqual(page([9, 8], 8));
  });

  test("that is the whole history is all there is", () => {
    expect(withNewest(page([5, 4, 3], null), page([6], null))).toEqual(page([6], null));
  });
});

describe("a feed", () => {
  test("is read once more when something changed while it was being read, and not once per change", async () => {
    const load = vi.fn(async () => page([1], null));
    const feed = new HistoryFeed(load);
    await Promise.all([feed.refresh(), feed.refresh(), feed.refresh()]);
    await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(2));
  });

  test("grows by older pages to its end", async () => {
    const pages: Record<string, HistoryPage> = { newest: page([4, 3], 3), 3: page([2, 1], null) };
    const feed = new HistoryFeed(async (before) => pages[before ?? "newest"] ?? page([], null));
    await feed.refresh();
    await feed.older();
    await feed.older(); // nothing is left
    expect(feed.getSnapshot().page).toEqual(page([4, 3, 2, 1], null));
  });

  test("keeps what it has when the server cannot be reached", async () => {
    let gone = false;
    const feed = new HistoryFeed(async () => {
      if (gone) throw new ApiError(unreachable);
      return page([1], null);
    });
    await feed.refresh();
    gone = true;
    await feed.refresh();
    expect(feed.getSnapshot()).toEqual({ page: page([1], null), problem: unreachable, reading: false });
  });
});
