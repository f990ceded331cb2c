import { fieldName, nested } from "@/sync/field-name";
import type { FieldName, Json } from "@/sync/types";
import { encodeJson } from "@/sync/well-formed";
import { answer, type Calls, pathOf } from "./api-call";
import { ApiError } from "./api-error";
import type { Problem } from "./auth-types";
import { isRounded } from "./format";
import { historyShape, storedShape, trialShape } from "./history-shapes";
import type { Change, HistoryPage, HistoryQuery, Replacement, Step, Trial, Undone } from "./history-types";

/** The calls about what was, of one user's settings. */
export interface HistoryApi {
  /** GET …/history. */
  readonly page: (username: string, query: HistoryQuery) => Promise<HistoryPage>;
  /** POST …/undo: puts back all that one revision replaced; `partial` leaves alone what changed since. */
  readonly undo: (username: string, revision: number, partial?: boolean) => Promise<Undone>;
  /** Puts back one field, if its last change still is this one. */
  readonly undoField: (username: string, change: Change) => Promise<Undone>;
  /** POST …/restore: everything as it was after a revision. */
  readonly restore: (username: string, revision: number) => Step;
  /** POST …/import: the settings of an exported document. */
  readonly importFrom: (username: string, text: string) => Step;
  /** GET …/export: the document, and what to call it. */
  readonly exported: (username: string) => Promise<{ readonly name: string; readonly text: string }>;
}

const patchType = "application/vnd.settings-sync.patch+json";

/** The history calls. `newId` names a patch. */
export function createHistoryApi({ signed }: Calls, newId: () => string): HistoryApi {
  const step = (path: (dryRun: boolean) => string, content: (dryRun: boolean) => object): Step => ({
    look: async () => {
      const response = await signed({ method: "POST", path: path(true), ...content(true) });
      const { epoch, revision, changes } = await answer(response, trialShape);
      // Not from the ETag: a proxy that compresses makes it weak, renames it or drops it.
      return { version: `"${epoch}.${revision}"`, changes: changes.map(replacement) };
    },
    take: async ({ version }: Trial) => {
      await signed({ method: "POST", path: path(false), ...content(false), ifMatch: version });
    },
  });

  return {
    page: async (username, query) => {
      const path = `${pathOf(username)}/history${search(query)}`;
      const { changes, next } = await answer(await signed({ method: "GET", path }), historyShape);
      return { changes: changes.map((one): Change => ({ ...one, ...replacement(one) })), next: next ?? null };
    },
    undo: (username, revision, partial = false) =>
      undone(async () => {
        const body = partial ? { revision, partial } : { revision };
        return answer(await signed({ method: "POST", path: `${pathOf(username)}/undo`, body }), storedShape);
      }),
    undoField: (username, { field, previous, revision }) =>
      undone(async () => {
        if (isRounded(previous)) throw new ApiError(inexact);
        const set = nested<Json>(field, previous ?? null);
        const text = encodeJson({ id: newId(), set, base: nested(field, revision) });
        const path = `${pathOf(username)}/settings`;
        return answer(await signed({ method: "PATCH", path, text, type: patchType }), storedShape);
      }),
    restore: (username, revision) =>
      step(
        () => `${pathOf(username)}/restore`,
        (dryRun) => ({ body: dryRun ? { revision, dryRun } : { revision } }),
      ),
    importFrom: (username, text) =>
      step(
        (dryRun) => `${pathOf(username)}/import${dryRun ? "?dryRun=1" : ""}`,
        () => ({ text }),
      ),
    exported: async (username) => {
      const response = await signed({ method: "GET", path: `${pathOf(username)}/export` });
      const named = /filename="?([^";]+)"?/.exec(response.headers.get("Content-Disposition") ?? "");
      return { name: named?.[1] ?? `settings-${username}.json`, text: await response.text() };
    },
  };
}

/** An undo with a number that this page holds rounded would store the rounded one. The server has the exact number. */
const inexact: Problem = {
  status: 0,
  code: "inexact",
  detail:
    "This number is too large for this page to put back exactly. Undo the change in the history instead.",
  errors: [],
};

/** Runs an undo; a conflict is one of its answers, any other refusal is thrown. */
async function undone(run: () => Promise<{ revision: number }>): Promise<Undone> {
  try {
    return { outcome: "done", revision: (await run()).revision };
  } catch (thrown) {
    if (!(thrown instanceof ApiError) || !thrown.problem.current) throw thrown;
    return { outcome: "changed-since", moved: thrown.problem.current };
  }
}

function replacement(from: {
  block: string;
  key: string;
  value: Json;
  previous?: Json | undefined;
}): Replacement {
  return { field: fieldName(from.block, from.key), value: from.value, previous: from.previous };
}

function search({ before, limit, field, device }: HistoryQuery): string {
  const query = new URLSearchParams();
  if (before) query.set("before", String(before));
  if (limit) query.set("limit", String(limit));
  if (field) query.set("key", field satisfies FieldName);
  if (device) query.set("device", device);
  const text = query.toString();
  return text && `?${text}`;
}
