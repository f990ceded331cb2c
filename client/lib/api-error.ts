import { flatten } from "@/sync/field-name";
import { problemShape } from "./api-shapes";
import type { Problem } from "./auth-types";

/** A request the server refused, or that never reached it (`status` 0). Its message can be shown to people. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ApiError";
    this.problem = problem;
  }
}

/** The problem of a request that got no answer. */
export const unreachable: Problem = {
  status: 0,
  code: "unreachable",
  detail: "The server cannot be reached. Check the connection and try again.",
  errors: [],
};

/** The problem of a request made without being signed in. */
export const signedOut: Problem = {
  status: 401,
  code: "unauthorized",
  detail: "You are signed out. Log in again.",
  errors: [],
};

/** Reads a refusal's body, whoever wrote it: the server in JSON, or something in between in HTML. */
export function problemFrom(status: number, body: string): Problem {
  const parsed = problemShape.safeParse(jsonOrNull(body));
  const found = parsed.success ? parsed.data : {};
  return {
    status,
    code: found.code ?? "internal",
    detail:
      found.detail ?? found.title ?? `The server answered with an error (${status}). Try again in a moment.`,
    errors: found.errors ?? [],
    ...(found.current && {
      current: flatten(found.current).map(([field, now]) => ({ field, now })),
    }),
  };
}

/** The problem inside whatever was thrown. Anything but an ApiError is a fault of this client. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ApiError) return thrown.problem;
  return {
    status: 0,
    code: "internal",
    detail: "Something broke on this page. Reload it and try again.",
    errors: [],
  };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
