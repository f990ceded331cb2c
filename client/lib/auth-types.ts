import type { Moved } from "./history-types";

/** The device this browser is signed in as. */
export interface SignedInDevice {
  readonly id: string;
  readonly name: string;
}

/** A bearer token and when it ends, in ms since the epoch by this machine's clock. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAt: number;
}

/** An error as the server tells it: RFC 9457 (SPEC E6). `status` 0 means the server could not be reached. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
  /** With a conflict: what the fields in its way hold now. */
  readonly current?: readonly Moved[];
}

/** Whether this browser is signed in. `starting` until the first refresh has answered. */
export type AuthState =
  | { readonly state: "starting" }
  /** The server could not be asked yet; it is asked again. Shown apart from signed-out so that nobody has to log in again. */
  | { readonly state: "unreachable"; readonly device: SignedInDevice | null }
  | { readonly state: "signed-in"; readonly device: SignedInDevice }
  /** `revoked`: the device was locked out, and whoever stands before it should know why. */
  | { readonly state: "signed-out"; readonly revoked?: boolean };

/** What came of a log-in. */
export type SignInOutcome =
  | { readonly ok: true; readonly device: SignedInDevice }
  | { readonly ok: false; readonly problem: Problem };

/** The log-in of this browser, shared by all its tabs. */
export interface AuthSession {
  /** Calls `listener` after every change of the state; returns its undo. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The same object until something changes. */
  readonly getSnapshot: () => AuthState;
  readonly signIn: (deviceName: string, password: string) => Promise<SignInOutcome>;
  /** Ends the session here, on the server and in the other tabs. */
  readonly signOut: () => Promise<void>;
  /**
   * A token that is good now, renewed first when it has ended or is about to.
   * Null: signed out. Rejects when the server cannot be reached.
   */
  readonly accessToken: () => Promise<AccessToken | null>;
  /** As accessToken, but always a newer one than the last handed out. */
  readonly renew: () => Promise<AccessToken | null>;
  /** Signed out without asking the server: it has already ended this session (revoked). */
  readonly forget: () => void;
  /** Removes every listener this session added. */
  readonly stop: () => void;
}
