import { encodeJson, urlPart } from "@/sync/well-formed";
import type * as z from "@/sync/zod";
import { ApiError, problemFrom, signedOut, unreachable } from "./api-error";
import type { AccessToken, AuthSession } from "./auth-types";

/** What calls need of the log-in. */
export type Tokens = Pick<AuthSession, "accessToken" | "renew">;

/** One request of the REST interface. */
export interface Call {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/api/v1`. */
  readonly path: string;
  /** Sent as JSON; a text that is JSON already goes in `text`. */
  readonly body?: unknown;
  readonly text?: string;
  /** The version of the settings this is meant for: any other is refused with 412. */
  readonly ifMatch?: string;
  /** The media type of the body, where it is not plain JSON. */
  readonly type?: string;
  /** Ends a call that waits. */
  readonly signal?: AbortSignal;
}

/** The two ways to ask. Both reject with an ApiError where the answer is no success. */
export interface Calls {
  /** Without a token, for what anybody may ask. */
  readonly open: (call: Call) => Promise<Response>;
  /** As this device. A token that was refused is renewed once: it may have ended on the way. */
  readonly signed: (call: Call) => Promise<Response>;
}

/** The calls over one log-in. `send` is `fetch`, but for tests. */
export function createCalls(tokens: Tokens, send: typeof fetch): Calls {
  const attempt = async (call: Call, token: AccessToken | null): Promise<Response> => {
    const headers = new Headers({ Accept: "application/json" });
    if (token) headers.set("Authorization", `Bearer ${token.token}`);
    if (call.ifMatch) headers.set("If-Match", call.ifMatch);
    const init: RequestInit = { method: call.method, headers, cache: "no-store" };
    if (call.signal) init.signal = call.signal;
    const body = call.text ?? (call.body === undefined ? undefined : encodeJson(call.body));
    if (body !== undefined) {
      headers.set("Content-Type", call.type ?? "application/json");
      init.body = body;
    }
    try {
      return await send(`/api/v1${call.path}`, init);
    } catch {
      throw new ApiError(unreachable);
    }
  };

  return {
    open: async (call) => passed(await attempt(call, null)),
    signed: async (call) => {
      const response = await attempt(call, await tokenFrom(tokens.accessToken));
      if (response.status !== 401) return passed(response);
      // What names a field is about a password that was asked again, and no token mends that.
      const problem = problemFrom(401, await response.text());
      if (problem.errors.length > 0) throw new ApiError(problem);
      return passed(await attempt(call, await tokenFrom(tokens.renew)));
    },
  };
}

/** Reads an answer, and refuses one of another shape. */
export async function answer<Shape extends z.ZodMiniType>(
  response: Response,
  shape: Shape,
): Promise<z.infer<Shape>> {
  const parsed = shape.safeParse(await response.json().catch(() => null));
  if (parsed.success) return parsed.data;
  throw new ApiError({
    ...problemFrom(response.status, ""),
    detail: "The server's answer could not be read.",
  });
}

/** The path of a user, and of what belongs to it. */
export function pathOf(username: string): string {
  return `/users/${urlPart(username)}`;
}

async function tokenFrom(ask: () => Promise<AccessToken | null>): Promise<AccessToken> {
  let token: AccessToken | null;
  try {
    token = await ask();
  } catch {
    throw new ApiError(unreachable);
  }
  if (!token) throw new ApiError(signedOut);
  return token;
}

async function passed(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new ApiError(problemFrom(response.status, await response.text()));
}
