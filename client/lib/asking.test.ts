import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "./api-error";
import { Asking } from "./asking";
import type { AskStatus, MembersApi } from "./members-api";

const username = "TestUser6";
const asked = { username, waits: { username, id: "q_1", code: "42", expiresIn: 600 } };
let answers: {
  resolve: (status: AskStatus) => void;
  reject: (error: unknown) => void;
  signal: AbortSignal;
}[];
const ask = vi.fn<MembersApi["ask"]>();
let asking: Asking;

beforeEach(() => {
  answers = [];
  ask.mockReset().mockResolvedValue(asked);
  asking = new Asking(
    {
      ask: (username) => ask(username),
      awaitAnswer: (_id, signal) =>
        new Promise((resolve, reject) => answers.push({ resolve, reject, signal })),
    },
    {
      now: () => 1000,
      after: (_ms, run) => {
        run();
        return () => {};
      },
    },
  );
});

test("shows its number, and is let in as soon as the server says so", async () => {
  expect(await asking.ask("TestUser6")).toBeNull();
  expect(asking.getSnapshot()).toEqual({ is: "waiting", username: "TestUser6", code: "42", until: 601_000 });
  answers[0]?.resolve("waiting"); // the server lets go now and then
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.resolve("approved");
  await vi.waitFor(() => expect(asking.getSnapshot()).toEqual({ is: "joined", username: "TestUser6" }));
  expect(answers).toHaveLength(2);
});

test.each(["denied", "expired"] as const)("ends when it is %s", async (status) => {
  await asking.ask("TestUser6");
  answers[0]?.resolve(status);
  await vi.waitFor(() => expect(asking.getSnapshot().is).toBe(status));
});

test("a lost answer is asked for again", async () => {
  await asking.ask("TestUser6");
  answers[0]?.reject(new Error("no network"));
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  expect(asking.getSnapshot().is).toBe("waiting");
});

test("cancelling ends the wait on the wire too", async () => {
  await asking.ask("TestUser6");
  asking.cancel();
  expect(answers[0]?.signal.aborted).toBe(true);
  expect(asking.getSnapshot()).toEqual({ is: "idle" });
  answers[0]?.resolve("approved");
  await Promise.resolve();
  expect(asking.getSnapshot()).toEqual({ is: "idle" });
});

test("one of the own account joins at once", async () => {
  ask.mockResolvedValue({ username, waits: null });
  await asking.ask("TestUser6");
  expect(asking.getSnapshot()).toEqual({ is: "joined", username: "TestUser6" });
});

// Fault B5: what is shown and kept of a name is the server's spelling.
test("the user is called what the server calls it", async () => {
  await asking.ask(" testUSER6 ");
  expect(ask).toHaveBeenCalledWith(" testUSER6 ");
  expect(asking.getSnapshot()).toMatchObject({ is: "waiting", username: "TestUser6" });
  ask.mockResolvedValue({ username, waits: null });
  await asking.ask(" testUSER6 ");
  expect(asking.getSnapshot()).toEqual({ is: "joined", username: "TestUser6" });
});

test("a refusal is told in the server's words", async () => {
  const problem = { status: 429, code: "rate-limited", detail: "Too often.", errors: [] };
  ask.mockRejectedValue(new ApiError(problem));
  expect(await asking.ask("TestUser6")).toEqual(problem);
  expect(asking.getSnapshot()).toEqual({ is: "idle" });
});
