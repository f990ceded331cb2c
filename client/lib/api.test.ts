import { describe, expect, test, vi } from "vitest";
import { createApi } from "./api";
import { ApiError } from "./api-error";

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status });
}

/** An API over canned answers, and what was sent to get them. */
function fixture(...answers: (Response | Error)[]) {
  const sent: Request[] = [];
  const send = vi.fn(async (path: RequestInfo | URL, init?: RequestInit) => {
    sent.push(new Request(new URL(String(path), "http://localhost"), init));
    const next = answers.shift();
    if (!next) throw new Error("one request too many");
    if (next instanceof Error) throw next;
    return next;
  });
  const tokens = {
    accessToken: vi.fn(async () => ({ token: "first", expiresAt: 0 })),
    renew: vi.fn(async () => ({ token: "second", expiresAt: 0 })),
  };
  return { api: createApi(tokens, send), sent, tokens };
}

async function problemOf(call: Promise<unknown>) {
  const thrown = await call.then(
    () => expect.fail("the call should have failed"),
    (error: unknown) => error,
  );
  if (!(thrown instanceof ApiError)) return expect.fail("not an ApiError");
  return thrown.problem;
}

describe("signed-in calls", () => {
  test("carry the token and answer with what was checked", async () => {
    const user = { username: "TestUser6", joined: true, online: 2, revision: 7, owner: true };
    const { api, sent } = fixture(json(200, { users: [user] }));
    expect(await api.users()).toEqual([user]);
    expect(sent[0]?.headers.get("authorization")).toBe("Bearer first");
  });

  test("renew a refused token once", async () => {
    const { api, sent } = fixture(json(401, {}), json(200, { users: [] }));
    expect(await api.users()).toEqual([]);
    expect(sent.map((request) => request.headers.get("authorization"))).toEqual([
      "Bearer first",
      "Bearer second",
    ]);
  });

  test("do not try a third time", async () => {
    const { api, sent } = fixture(json(401, {}), json(401, { detail: "Log in.", code: "unauthorized" }));
    expect(await problemOf(api.users())).toMatchObject({ status: 401, detail: "Log in." });
    expect(sent).toHaveLength(2);
  });

  test("are not sent at all when signed out", async () => {
    const { api, sent, tokens } = fixture();
    tokens.accessToken.mockResolvedValue(null as never);
    expect((await problemOf(api.users())).status).toBe(401);
    expect(sent).toHaveLength(0);
  });
});

describe("answers", () => {
  test("a user name is escaped in the path", async () => {
    const { api, sent } = fixture(new Response(null, { status: 204 }));
    await api.leave("a/b ?");
    expect(sent[0]?.url).toBe("http://localhost/api/v1/users/a%2Fb%20%3F/join");
  });

  test("202 means that a member has to approve", async () => {
    const { api } = fixture(json(202, {}), json(200, {}));
    expect(await api.join("TestUser6")).toBe(false);
    expect(await api.join("TestUser6")).toBe(true);
  });

  test("a problem keeps the server's words and fields", async () => {
    const errors = [{ field: "deviceName", message: "is taken" }];
    const { api } = fixture(json(409, { code: "conflict", detail: "Taken.", errors }));
    const problem = await problemOf(api.register({ deviceName: "a", email: "b", password: "c" }));
    expect(problem).toEqual({ status: 409, code: "conflict", detail: "Taken.", errors });
  });

  test("something in between that answers in HTML is still told in words", async () => {
    const { api } = fixture(new Response("<h1>Bad Gateway</h1>", { status: 502 }));
    expect((await problemOf(api.users())).detail).toContain("502");
  });

  test("an answer of another shape is refused, not believed", async () => {
    const { api } = fixture(json(200, { users: [{ username: 3 }] }));
    expect((await problemOf(api.users())).detail).toBe("The server's answer could not be read.");
  });

  test("no answer is a problem of its own", async () => {
    const { api } = fixture(new TypeError("fetch failed"));
    expect((await problemOf(api.users())).status).toBe(0);
  });
});
