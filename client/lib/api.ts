import { answer, createCalls, pathOf, type Tokens } from "./api-call";
import { type Device, deviceShape, type User, userShape, usersShape } from "./api-shapes";

/** The REST calls pages make. Each resolves with a checked answer or rejects with an ApiError. */
export interface Api {
  /** POST /register: makes the device, and its account if the e-mail is new. */
  readonly register: (device: { deviceName: string; email: string; password: string }) => Promise<Device>;
  /** GET /users: the users this device has joined or may join. */
  readonly users: () => Promise<readonly User[]>;
  /** POST /users: *connect*, which creates the user with this device as its first member; answers the user's name. */
  readonly connect: (username: string) => Promise<string>;
  /** POST /users/{username}/join; false when a member has to approve it first. */
  readonly join: (username: string) => Promise<boolean>;
  /** DELETE /users/{username}/join: *disjoin*. */
  readonly leave: (username: string) => Promise<void>;
  /** GET /schema: the JSON Schema of the settings, for `schemaDefaults` to read. */
  readonly schema: () => Promise<unknown>;
}

/** The calls over one log-in. `send` is `fetch`, but for tests. */
export function createApi(tokens: Tokens, send: typeof fetch): Api {
  const { open, signed } = createCalls(tokens, send);
  return {
    register: async (device) =>
      answer(await open({ method: "POST", path: "/register", body: device }), deviceShape),
    users: async () => (await answer(await signed({ method: "GET", path: "/users" }), usersShape)).users,
    connect: async (username) => {
      const made = await signed({ method: "POST", path: "/users", body: { username } });
      return (await answer(made, userShape)).username;
    },
    join: async (username) => {
      const response = await signed({ method: "POST", path: `${pathOf(username)}/join` });
      return response.status !== 202;
    },
    leave: async (username) => {
      await signed({ method: "DELETE", path: `${pathOf(username)}/join` });
    },
    schema: async () => (await signed({ method: "GET", path: "/schema" })).json(),
  };
}
