import type { z } from "@/sync/zod";
import { ApiError, problemFrom, signedOut, unreachable } from "./api-error";
import { type Device, deviceShape, type User, usersShape } from "./api-shapes";
import type { AccessToken, AuthSession } from "./auth-types";

/** The REST calls pages make. Each resolves with a checked answer or rejects with an ApiError. */
export interface Api {
  /** POST /register: makes the device, and its account if the e-mail is new. */
  readonly register: (device: { deviceName: string; email: string; password: string }) => Promise<Device>;
  /** GET /users: the users this device has joined or may join. */
  readonly users: () => Promise<readonly User[]>;
  /** POST /users: *connect*, which creates the user with this device as its first member. */
  readonly connect: (username: string) => Promise<void>;
  /** POST /users/{username}/join; false when a member has to approve it first. */
  readonly join: (username: string) => Promise<boolean>;
  /** DELETE /users/{username}/join: *disjoin*. */
  readonly leave: (username: string) => Promise<void>;
  /** GET /schema: the JSON Schema of the settings, for `schemaDefaults` to read. */
  readonly schema: () => Promise<unknown>;
}

type Tokens = Pick<AuthSession, "accessToken" | "renew">;

interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
}

/** The calls over one log-in. `send` is `fetch`, but for tests. */
export function createApi(tokens: Tokens, send: typeof fetch): Api {
  /** One attempt. A token is absent only for calls that need none. */
  const attempt = async (call: Call, token: AccessToken | null): Promise<Response> => {
    const headers = new Headers({ Accept: "application/json" });
    if (token) headers.set("Authorization", `Bearer ${token.token}`);
    const init: RequestInit = { method: call.method, headers, cache: "no-store" };
    if (call.body !== undefined) {
      headers.set("Content-Type", "application/json");
      init.body = JSON.stringify(call.body);
    }
    try {
      return await send(`/api/v1${call.path}`, init);
    } catch {
      throw new ApiError(unreachable);
    }
  };

  /** A signed-in call. A token that was refused is renewed once: it may have ended on the way. */
  const signed = async (call: Call): Promise<Response> => {
    const response = await attempt(call, await tokenFrom(tokens.accessToken));
    if (response.status !== 401) return passed(response);
    return passed(await attempt(call, await tokenFrom(tokens.renew)));
  };

  const user = (username: string) => `/users/${encodeURIComponent(username)}`;

  return {
    register: async (device) => {
      const response = await attempt({ method: "POST", path: "/register", body: device }, null);
      return answer(await passed(response), deviceShape);
    },
    users: async () => (await answer(await signed({ method: "GET", path: "/users" }), usersShape)).users,
    connect: async (username) => {
      await signed({ method: "POST", path: "/users", body: { username } });
    },
    join: async (username) => {
      const response = await signed({ method: "POST", path: `${user(username)}/join` });
      return response.status !== 202;
    },
    leave: async (username) => {
      await signed({ method: "DELETE", path: `${user(username)}/join` });
    },
    schema: async () => (await signed({ method: "GET", path: "/schema" })).json(),
  };
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

async function answer<Shape extends z.ZodMiniType>(
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
