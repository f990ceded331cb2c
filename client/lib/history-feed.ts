import type { Undo } from "@/sync/environment";
import { problemOf } from "./api-error";
import type { Problem } from "./auth-types";
import { withNewest, withOlder } from "./history";
import type { HistoryPage } from "./history-types";

/** A history as far as it was read. */
export interface HistoryView {
  /** Null until the first answer. */
  readonly page: HistoryPage | null;
  /** Why the last page could not be read; what was read before stays. */
  readonly problem: Problem | null;
  /** An older page is on its way. */
  readonly reading: boolean;
}

type Load = (before: number | undefined) => Promise<HistoryPage>;

/** One user's history, newest first, read page by page and kept new. */
export class HistoryFeed {
  private view: HistoryView = { page: null, problem: null, reading: false };
  private readonly listeners = new Set<() => void>();
  private refreshing = false;
  private again = false;

  constructor(private readonly load: Load) {}

  readonly subscribe = (listener: () => void): Undo => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): HistoryView => this.view;

  /** Reads the newest page: once, and once more if anything changed meanwhile. */
  readonly refresh = async (): Promise<void> => {
    this.again = true;
    if (this.refreshing) return;
    this.refreshing = true;
    while (this.again) {
      this.again = false;
      await this.read(undefined, (newest) => withNewest(this.view.page, newest));
    }
    this.refreshing = false;
  };

  /** Reads one page more. */
  readonly older = async (): Promise<void> => {
    const { page, reading } = this.view;
    if (reading || !page?.next) return;
    const { next } = page;
    this.move({ ...this.view, reading: true });
    await this.read(next, (older) => {
      const known = this.view.page;
      return known?.next === next ? withOlder(known, older) : known; // else it was read anew meanwhile
    });
    this.move({ ...this.view, reading: false });
  };

  private async read(
    before: number | undefined,
    merge: (page: HistoryPage) => HistoryPage | null,
  ): Promise<void> {
    try {
      const page = merge(await this.load(before));
      this.move({ ...this.view, page, problem: null });
    } catch (thrown) {
      this.move({ ...this.view, problem: problemOf(thrown) });
    }
  }

  private move(view: HistoryView): void {
    this.view = view;
    for (const listener of [...this.listeners]) listener();
  }
}
