import type { Change, HistoryPage } from "./history-types";

/** All that one revision changed: one patch of one device. */
export interface RevisionOf {
  readonly revision: number;
  readonly device: Change["device"];
  readonly at: string;
  readonly changes: readonly Change[];
}

/** The revisions of one day, under its name. */
export interface DayOf {
  readonly day: string;
  readonly revisions: readonly RevisionOf[];
}

/** Puts changes, newest first, together by revision and by this machine's days. */
export function byDay(changes: readonly Change[], now: number): DayOf[] {
  const days: { day: string; revisions: RevisionOf[] }[] = [];
  for (const revision of byRevision(changes)) {
    const day = dayName(revision.at, now);
    const last = days.at(-1);
    if (last?.day === day) last.revisions.push(revision);
    else days.push({ day, revisions: [revision] });
  }
  return days;
}

function byRevision(changes: readonly Change[]): RevisionOf[] {
  const all: (RevisionOf & { changes: Change[] })[] = [];
  for (const change of changes) {
    const last = all.at(-1);
    if (last?.revision === change.revision) last.changes.push(change);
    else all.push({ revision: change.revision, device: change.device, at: change.at, changes: [change] });
  }
  return all;
}

/** "Today", "Yesterday", or the date. */
export function dayName(at: string, now: number): string {
  const date = new Date(at);
  const today = new Date(now);
  if (sameDay(date, today)) return "Today";
  const yesterday = new Date(now);
  yesterday.setDate(today.getDate() - 1);
  if (sameDay(date, yesterday)) return "Yesterday";
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

/**
 * The newest page read again, before what was read of older ones. Where the two do
 * not meet, the older ones go: a history with a hole in it would be a lie.
 */
export function withNewest(known: HistoryPage | null, newest: HistoryPage): HistoryPage {
  const lowest = newest.changes.at(-1)?.revision;
  if (!known || newest.next === null || lowest === undefined) return newest;
  const meets = known.changes.some(({ revision }) => revision >= lowest);
  if (!meets) return newest;
  const older = known.changes.filter(({ revision }) => revision < lowest);
  if (older.length === 0) return newest;
  return { changes: [...newest.changes, ...older], next: known.next };
}

/** A known history with one more page at its end. */
export function withOlder(known: HistoryPage, older: HistoryPage): HistoryPage {
  return { changes: [...known.changes, ...older.changes], next: older.next };
}
