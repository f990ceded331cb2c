import type { StopReason } from "./types";

/** What a close code asks of the device (SPEC E1). */
export type Fate =
  /** Come back after a back-off; with a new token if `renew`. */
  | { readonly comeBack: true; readonly renew: boolean }
  | { readonly comeBack: false; readonly reason: StopReason };

/** The code a browser reports when a connection broke without a close frame. */
export const brokenOff = 1006;

/** What the peer says of a frame that is larger than it takes (SPEC E2). */
export const frameTooBig = 1009;

const signedOut = 4501;

/** Whether `code` means that the token itself was not accepted: worth one new token, not a second. */
export function isNotSignedIn(code: number): boolean {
  return code === signedOut;
}

/**
 * Whether `code` says that something this client sent could not be taken: RFC 6455's codes for
 * a frame (1002, 1003, 1007, 1008, 1009), and every final one that is not about who this is.
 */
export function blamesFrame(code: number): boolean {
  const fate = fateOf(code);
  if (!fate.comeBack) return fate.reason === "rejected";
  return code === 1002 || code === 1003 || code === 1007 || code === 1008 || code === frameTooBig;
}

/**
 * Says whether to come back after a close. The ranges decide, so that a code of a
 * later server needs no new client: 4500–4999 is final, everything else is not.
 */
export function fateOf(code: number): Fate {
  switch (code) {
    case 4001:
      return { comeBack: true, renew: true };
    case signedOut:
      return { comeBack: false, reason: "signed-out" };
    case 4503:
      return { comeBack: false, reason: "revoked" };
    case 4504:
      return { comeBack: false, reason: "too-many" };
    case 4506:
      return { comeBack: false, reason: "not-a-member" };
  }
  if (code >= 4500 && code <= 4999) return { comeBack: false, reason: "rejected" };
  return { comeBack: true, renew: false };
}
