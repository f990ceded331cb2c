import * as z from "@/sync/zod";
import type { AccessToken, SignedInDevice } from "./auth-types";

const deviceShape = z.object({ id: z.string(), name: z.string() });

const grantShape = z.object({
  accessToken: z.string(),
  expiresIn: z.number(),
  /** Absent where it went into a cookie. */
  refreshToken: z.optional(z.string()),
  device: z.optional(deviceShape),
});

const toldShape = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("token"),
    token: z.string(),
    expiresAt: z.number(),
    device: deviceShape,
  }),
  z.object({ type: z.literal("signed-out"), revoked: z.optional(z.boolean()) }),
]);

/** What tabs of one browser tell each other about the log-in. */
export type AuthTold = z.infer<typeof toldShape>;

/** A token and, if the server said so, whose it is. */
export interface Grant {
  readonly token: AccessToken;
  readonly device: SignedInDevice | undefined;
  /** Only where the browser keeps no cookies. */
  readonly refreshToken: string | null;
}

/** Reads the answer of POST /login or /refresh; null when it is none. */
export function parseGrant(answer: unknown, now: number): Grant | null {
  const parsed = grantShape.safeParse(answer);
  if (!parsed.success) return null;
  const { accessToken, expiresIn, device, refreshToken = null } = parsed.data;
  return { token: { token: accessToken, expiresAt: now + expiresIn * 1000 }, device, refreshToken };
}

/** Reads what another tab said; null for what this version does not understand. */
export function parseTold(message: unknown): AuthTold | null {
  const parsed = toldShape.safeParse(message);
  return parsed.success ? parsed.data : null;
}

/** Reads the device remembered from an earlier page. */
export function parseDevice(text: string | null): SignedInDevice | null {
  if (text === null) return null;
  try {
    const parsed = deviceShape.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
