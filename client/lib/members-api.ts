import * as z from "@/sync/zod";
import { answer, type Calls, pathOf } from "./api-call";

const askedShape = z.object({
  username: z.string(),
  /** Names this request, to wait for its answer. */
  id: z.string(),
  /** The number to read out to a member. */
  code: z.string(),
  /** In seconds. */
  expiresIn: z.number(),
});

const answeredShape = z.object({ status: z.enum(["waiting", "approved", "denied", "expired"]) });

const asksShape = z.object({
  asks: z.array(
    z.object({
      id: z.string(),
      device: z.object({ id: z.string(), name: z.string() }),
      /** Without its domain: "anna@…". */
      email: z.string(),
      expires: z.string(),
    }),
  ),
});

const invitationShape = z.object({
  code: z.string(),
  expiresIn: z.number(),
  /** Where it can be used, with the code filled in: a path of this server. */
  url: z.string(),
});
const joinedShape = z.object({ username: z.string() });

export type Asked = z.infer<typeof askedShape>;
export type AskStatus = z.infer<typeof answeredShape>["status"];
export type Ask = z.infer<typeof asksShape>["asks"][number];
export type Invitation = z.infer<typeof invitationShape>;

/** What came of a request to join: the user's name as the server spells it, and what is to be waited for, if anything. */
export interface AskAnswer {
  readonly username: string;
  readonly waits: Asked | null;
}

/** The calls by which devices of other accounts come in, and members go. */
export interface MembersApi {
  /** POST …/join for a user of another account. A device that may join at once has joined, and does not wait. */
  readonly ask: (username: string) => Promise<AskAnswer>;
  /** Waits on the server until the request is answered, or for about half a minute. */
  readonly awaitAnswer: (id: string, signal: AbortSignal) => Promise<AskStatus>;
  /** GET …/asks: who waits to be let in. */
  readonly asks: (username: string) => Promise<readonly Ask[]>;
  /** Lets a device in, by the number on its screen. */
  readonly approve: (username: string, id: string, code: string) => Promise<void>;
  /** Does not; with `block` its account is not heard of again. */
  readonly deny: (username: string, id: string, block: boolean) => Promise<void>;
  /** POST …/invitations: a code that lets one device in. */
  readonly invite: (username: string) => Promise<Invitation>;
  /** POST /invitations/accept: joins by a code; answers the user's name. */
  readonly accept: (code: string) => Promise<string>;
  /** Ends the membership of another device. Owners may. */
  readonly remove: (username: string, deviceId: string) => Promise<void>;
}

const waitSeconds = 25;

/** The calls about members. */
export function createMembersApi({ signed }: Calls): MembersApi {
  const ask = (username: string, id: string) => `${pathOf(username)}/asks/${encodeURIComponent(id)}`;
  return {
    ask: async (username) => {
      const response = await signed({ method: "POST", path: `${pathOf(username)}/join` });
      if (response.status !== 202) return { ...(await answer(response, joinedShape)), waits: null };
      const waits = await answer(response, askedShape);
      return { username: waits.username, waits };
    },
    awaitAnswer: async (id, signal) => {
      const path = `/asks/${encodeURIComponent(id)}?wait=${waitSeconds}`;
      return (await answer(await signed({ method: "GET", path, signal }), answeredShape)).status;
    },
    asks: async (username) =>
      (await answer(await signed({ method: "GET", path: `${pathOf(username)}/asks` }), asksShape)).asks,
    approve: async (username, id, code) => {
      await signed({ method: "POST", path: `${ask(username, id)}/approve`, body: { code } });
    },
    deny: async (username, id, block) => {
      await signed({ method: "POST", path: `${ask(username, id)}/deny`, body: { block } });
    },
    invite: async (username) =>
      answer(await signed({ method: "POST", path: `${pathOf(username)}/invitations` }), invitationShape),
    accept: async (code) =>
      (
        await answer(
          await signed({ method: "POST", path: "/invitations/accept", body: { code } }),
          joinedShape,
        )
      ).username,
    remove: async (username, deviceId) => {
      const path = `${pathOf(username)}/members/${encodeURIComponent(deviceId)}`;
      await signed({ method: "DELETE", path });
    },
  };
}
