import { expect, test, vi } from "vitest";
import { createCalls } from "./api-call";
import { createHistoryApi } from "./history-api";
import type { Change } from "./history-types";

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

function fixture(...answers: Response[]) {
  const sent: Request[] = [];
  const send = vi.fn(async (path: RequestInfo | URL, init?: RequestInit) => {
    sent.push(new Request(new URL(String(path), "http://localhost"), init));
    return answers.shift() ?? expect.fail("one request too many");
  });
  const token = async () => ({ token: "token", expiresAt: 0 });
  const calls = createCalls({ accessToken: token, renew: token }, send);
  return { api: createHistoryApi(calls, () => "p_1"), sent };
}

const device = { id: "d_2", name: "Firefox" };
const at = "2026-11-23T09:00:00.000Z";
const wire = { revision: 7, block: "billing", key: "salary", value: 3000, device, at, id: "x" };
const change: Change = { field: "billing.salary", value: 3000, previous: undefined, revision: 7, device, at };
const current = { billing: { salary: { value: 9, revision: 8, device: "d_1", at } } };

test("a page is asked for by its filters and read into fields", async () => {
  const { api, sent } = fixture(json(200, { changes: [wire], next: 7 }));
  const page = await api.page("a b", { before: 9, limit: 20, field: "billing.salary", device: "d_2" });
  expect(sent[0]?.url).toBe(
    "http://localhost/api/v1/users/a%20b/history?before=9&limit=20&key=billing.salary&device=d_2",
  );
  expect(page.next).toBe(7);
  expect(page.changes[0]).toMatchObject(change);
});

test("an undo that met a newer change reports it and what it holds now", async () => {
  const problem = { code: "conflict", detail: "Changed.", current };
  const { api } = fixture(json(409, problem));
  expect(await api.undo("TestUser6", 7)).toEqual({
    outcome: "changed-since",
    moved: [{ field: "billing.salary", now: current.billing.salary }],
  });
});

test("a refusal that is no conflict is thrown", async () => {
  const { api } = fixture(json(404, { detail: "The history does not go back that far any more." }));
  await expect(api.undo("TestUser6", 7)).rejects.toThrow("does not go back that far");
});

test("one field is put back only if its last change still is that one", async () => {
  const { api, sent } = fixture(json(200, { revision: 8 }));
  expect(await api.undoField("TestUser6", change)).toEqual({ outcome: "done", revision: 8 });
  expect(sent[0]?.headers.get("content-type")).toBe("application/vnd.settings-sync.patch+json");
  expect(await sent[0]?.json()).toEqual({
    id: "p_1",
    set: { billing: { salary: null } }, // it had never been set
    base: { billing: { salary: 7 } },
  });
});

// Fault C1: a proxy that compresses changes the ETag, or drops it.
test.each(['"e.9"', 'W/"e.9"', '"e.9-gzip"', null])(
  "a step is taken only on what was looked at, with ETag %s",
  async (etag) => {
    const trial = {
      epoch: "e",
      revision: 9,
      changes: [{ block: "user", key: "email", value: null, previous: "a" }],
    };
    const { api, sent } = fixture(json(200, trial, etag ? { ETag: etag } : {}), json(200, { revision: 10 }));
    const step = api.restore("TestUser6", 4);
    const looked = await step.look();
    expect(looked.changes).toEqual([{ field: "user.email", value: null, previous: "a" }]);
    await step.take(looked);
    expect(await sent[0]?.json()).toEqual({ revision: 4, dryRun: true });
    expect(await sent[1]?.json()).toEqual({ revision: 4 });
    expect(sent[1]?.headers.get("if-match")).toBe('"e.9"');
  },
);

// Fault of section 5: numbers above 2⁵³ are rounded here, and an undo would have stored them rounded.
test("a number that this page holds only nearly is not put back by it", async () => {
  const { api, sent } = fixture();
  const large = { ...change, previous: JSON.parse("9007199254740993") };
  await expect(api.undoField("TestUser6", large)).rejects.toThrow(/too large/);
  expect(sent).toEqual([]);
});

test("a document is imported as it was read", async () => {
  const { api, sent } = fixture(json(200, { epoch: "e", revision: 1, changes: [] }));
  await api.importFrom("TestUser6", '{"format":"x"}').look();
  expect(sent[0]?.url).toContain("/import?dryRun=1");
  expect(await sent[0]?.text()).toBe('{"format":"x"}');
});

test("an export is called what the server calls it", async () => {
  const headers = { "Content-Disposition": "attachment; filename=settings-TestUser6-4.json" };
  const { api } = fixture(json(200, { format: "x" }, headers));
  expect(await api.exported("TestUser6")).toEqual({
    name: "settings-TestUser6-4.json",
    text: '{"format":"x"}',
  });
});
