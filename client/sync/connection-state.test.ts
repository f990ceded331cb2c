// @vitest-environment node
import { describe, expect, it } from "vitest";
import {
  type ConnectionEvent,
  type ConnectionState,
  firstState,
  statusOf,
  transition,
} from "./connection-state";

const connecting: ConnectionState = { state: "connecting", attempt: 2, renew: false, renewed: false };
const catchingUp: ConnectionState = { state: "catching-up", attempt: 2, renewed: false };
const connected: ConnectionState = { state: "connected", attempt: 2, transport: "websocket" };
const offline: ConnectionState = {
  state: "offline",
  attempt: 3,
  retryAt: 1000,
  renew: false,
  renewed: false,
  asked: false,
};
const stopped: ConnectionState = { state: "stopped", reason: "revoked" };

function closed(
  code: number,
  more: Partial<Extract<ConnectionEvent, { type: "closed" }>> = {},
): ConnectionEvent {
  return { type: "closed", code, retryAt: 1000, asked: false, wasMember: false, ...more };
}

describe("transition", () => {
  const table: [string, ConnectionState, ConnectionEvent, ConnectionState][] = [
    ["[C4] an open link catches up", connecting, { type: "opened" }, catchingUp],
    ["[C5] ready connects", catchingUp, { type: "ready", transport: "websocket" }, connected],
    [
      "[E1] a settled connection starts the back-off afresh",
      connected,
      { type: "settled" },
      { ...connected, attempt: 0 },
    ],
    ["[E1] a close before that does not", catchingUp, closed(1006), offline],
    ["[E1] nor does one right after ready", connected, closed(4000), offline],
    [
      "[E5] a planned close is waited out",
      connected,
      closed(4000, { asked: true }),
      { ...offline, asked: true },
    ],
    ["[E1] 4001 renews first", connected, closed(4001), { ...offline, renew: true }],
    ["[E1] 4501 renews once", connected, closed(4501), { ...offline, renew: true, renewed: true }],
    ["[E1] 4503 stops", connected, closed(4503), { state: "stopped", reason: "revoked" }],
    ["[E1] 4504 stops", catchingUp, closed(4504), { state: "stopped", reason: "too-many" }],
    ["[D2] 4500 over a suspect comes back", connected, closed(4500, { excused: true }), offline],
    ["[E1] 4500 stops", connected, closed(4500), { state: "stopped", reason: "rejected" }],
    ["[C4] 4506 of a stranger", catchingUp, closed(4506), { state: "stopped", reason: "not-a-member" }],
    [
      "[A2] 4506 of a member",
      connected,
      closed(4506, { wasMember: true }),
      { state: "stopped", reason: "disjoined" },
    ],
    ["no token source, no link", connecting, { type: "no-token", retryAt: 1000 }, offline],
    ["the back-off passes", offline, { type: "retry" }, { ...connecting, attempt: 3 }],
    ["waking cuts it short", offline, { type: "wake" }, { ...connecting, attempt: 3 }],
    [
      "signing out stops",
      connected,
      { type: "stop", reason: "signed-out" },
      { state: "stopped", reason: "signed-out" },
    ],
    ["asking leaves stopped", stopped, { type: "reconnect" }, firstState],
    [
      "closing the page has the last word",
      stopped,
      { type: "stop", reason: "closed" },
      { state: "stopped", reason: "closed" },
    ],
  ];
  it.each(table)("%s", (_, before, event, after) => expect(transition(before, event)).toEqual(after));

  it("[E1] a second 4501 in a row stops", () => {
    const once = transition(catchingUp, closed(4501));
    const again = transition(
      transition(transition(once, { type: "retry" }), { type: "opened" }),
      closed(4501),
    );
    expect(again).toEqual({ state: "stopped", reason: "signed-out" });
  });

  it("[E1] a 4501 long after a good connection is again a first one", () => {
    expect(transition(connected, closed(4501)).state).toBe("offline");
  });

  it("[E5] waking does not cut short what the server asked for, but the person may", () => {
    const asked: ConnectionState = { ...offline, asked: true };
    expect(transition(asked, { type: "wake" })).toBe(asked);
    expect(transition(asked, { type: "reconnect" }).state).toBe("connecting");
  });

  it("stopped ignores everything but the person", () => {
    const events: ConnectionEvent[] = [
      { type: "opened" },
      { type: "ready", transport: "sse" },
      { type: "settled" },
      { type: "retry" },
      { type: "wake" },
      { type: "no-token", retryAt: 0 },
      { type: "stop", reason: "signed-out" },
      closed(1006),
      closed(4501),
    ];
    for (const event of events) expect(transition(stopped, event)).toBe(stopped);
  });

  it("events that come too late change nothing, not even the object", () => {
    expect(transition(offline, { type: "opened" })).toBe(offline);
    expect(transition(offline, { type: "ready", transport: "sse" })).toBe(offline);
    expect(transition(connecting, { type: "ready", transport: "sse" })).toBe(connecting);
    expect(transition(connecting, { type: "retry" })).toBe(connecting);
    expect(transition(connected, { type: "wake" })).toBe(connected);
    expect(transition(connected, { type: "reconnect" })).toBe(connected);
    expect(transition(connected, { type: "no-token", retryAt: 0 })).toBe(connected);
    expect(transition({ ...connected, attempt: 0 }, { type: "settled" })).toEqual({
      ...connected,
      attempt: 0,
    });
  });
});

describe("statusOf", () => {
  it("shows no more than a person needs", () => {
    expect([connecting, catchingUp, connected, offline, stopped].map(statusOf)).toEqual([
      { state: "connecting" },
      { state: "catching-up" },
      { state: "connected", transport: "websocket" },
      { state: "offline", retryAt: 1000 },
      { state: "stopped", reason: "revoked" },
    ]);
  });
});
