import { fateOf, isNotSignedIn } from "./codes";
import type { Status, StopReason, Transport } from "./types";

/** Where the one connection of this client stands. Exactly one of these at a time. */
export type ConnectionState =
  /** `renew`: get a new token first. `renewed`: the token was refused before; once more is the end. */
  | {
      readonly state: "connecting";
      readonly attempt: number;
      readonly renew: boolean;
      readonly renewed: boolean;
    }
  | { readonly state: "catching-up"; readonly attempt: number; readonly renewed: boolean }
  | { readonly state: "connected"; readonly attempt: number; readonly transport: Transport }
  /** `asked`: the server named the moment, so a window coming to the front does not cut it short. */
  | {
      readonly state: "offline";
      readonly attempt: number;
      readonly retryAt: number;
      readonly renew: boolean;
      readonly renewed: boolean;
      readonly asked: boolean;
    }
  | { readonly state: "stopped"; readonly reason: StopReason };

/** What happened to the connection. */
export type ConnectionEvent =
  | { readonly type: "opened" }
  | { readonly type: "ready"; readonly transport: Transport }
  /** Thirty good seconds: only now does the back-off start afresh. */
  | { readonly type: "settled" }
  | {
      readonly type: "closed";
      readonly code: number;
      readonly retryAt: number;
      readonly asked: boolean;
      readonly wasMember: boolean;
      /** What may have caused it was found and is sent with care: another try is worth it. */
      readonly excused?: boolean;
    }
  /** The token source could not be reached. */
  | { readonly type: "no-token"; readonly retryAt: number }
  | { readonly type: "retry" }
  /** The network is back, or the window is looked at again. */
  | { readonly type: "wake" }
  /** The person asked for it: leaves `stopped` too. */
  | { readonly type: "reconnect" }
  | { readonly type: "stop"; readonly reason: StopReason };

/** The state of a client that has just been made. */
export const firstState: ConnectionState = { state: "connecting", attempt: 0, renew: false, renewed: false };

/** Says the next state. It touches nothing: no socket, no timer, no clock. */
export function transition(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  switch (event.type) {
    case "reconnect":
      return state.state === "connected" || state.state === "catching-up" ? state : again(state);
    case "stop":
      return state.state === "stopped" && event.reason !== "closed"
        ? state
        : { state: "stopped", reason: event.reason };
  }
  if (state.state === "stopped") return state;
  switch (event.type) {
    case "opened":
      // While connected: another link takes over.
      if (state.state === "connected")
        return { state: "catching-up", attempt: state.attempt, renewed: false };
      if (state.state !== "connecting") return state;
      return { state: "catching-up", attempt: state.attempt, renewed: state.renewed };
    case "ready":
      if (state.state !== "catching-up") return state;
      return { state: "connected", attempt: state.attempt, transport: event.transport };
    case "settled":
      return state.state === "connected" && state.attempt > 0 ? { ...state, attempt: 0 } : state;
    case "closed":
      return closed(state, event);
    case "no-token":
      if (state.state !== "connecting") return state;
      return { ...state, state: "offline", attempt: state.attempt + 1, retryAt: event.retryAt, asked: false };
    case "retry":
      return state.state === "offline" ? again(state) : state;
    case "wake":
      return state.state === "offline" && !state.asked ? again(state) : state;
  }
}

function again(state: ConnectionState): ConnectionState {
  if (state.state !== "offline") return firstState;
  return { state: "connecting", attempt: state.attempt, renew: state.renew, renewed: state.renewed };
}

function closed(
  state: Exclude<ConnectionState, { state: "stopped" }>,
  event: Extract<ConnectionEvent, { type: "closed" }>,
): ConnectionState {
  const renewed = state.state === "connected" ? false : state.renewed;
  const back = {
    state: "offline",
    attempt: state.attempt + 1,
    retryAt: event.retryAt,
    asked: event.asked,
  } as const;
  if (event.excused) return { ...back, renew: false, renewed };
  const fate = fateOf(event.code);
  if (fate.comeBack) return { ...back, renew: fate.renew, renewed };
  // A refused token may only be old: one new one is worth trying (SPEC E1, C4).
  if (isNotSignedIn(event.code) && !renewed) return { ...back, renew: true, renewed: true };
  const reason = fate.reason === "not-a-member" && event.wasMember ? "disjoined" : fate.reason;
  return { state: "stopped", reason };
}

/** The part of the state that is shown to people. */
export function statusOf(state: ConnectionState): Status {
  switch (state.state) {
    case "connecting":
    case "catching-up":
      return { state: state.state };
    case "connected":
      return { state: "connected", transport: state.transport };
    case "offline":
      return { state: "offline", retryAt: state.retryAt };
    case "stopped":
      return { state: "stopped", reason: state.reason };
  }
}
