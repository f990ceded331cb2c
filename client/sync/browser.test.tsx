import { render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuthSession } from "../lib/auth-types";
import { browserEnvironment } from "./environment";
import { SettingsProvider } from "./settings-provider";
import { defaults, self } from "./testing/rig";
import { useConnection } from "./use-connection";
import { browserSocket } from "./websocket-link";

/** A WebSocket that is opened and answered by hand. */
class HandSocket {
  static readonly all: HandSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: string[] = [];
  readyState = 1;
  closedWith: number | null = null;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    HandSocket.all.push(this);
  }

  send(text: string) {
    this.sent.push(text);
  }

  close(code: number) {
    this.closedWith = code;
  }
}

const token = async () => ({ token: "t1", expiresAt: Number.POSITIVE_INFINITY });
const auth: AuthSession = {
  subscribe: () => () => {},
  getSnapshot: () => ({ state: "signed-in", device: self }),
  signIn: async () => ({ ok: true, device: self }),
  signOut: async () => {},
  accessToken: token,
  renew: token,
  forget: () => {},
  stop: () => {},
};

beforeEach(() => {
  HandSocket.all.length = 0;
  vi.stubGlobal("WebSocket", HandSocket);
});
afterEach(() => vi.unstubAllGlobals());

function Badge() {
  return <p>{useConnection().status.state}</p>;
}

describe("<SettingsProvider>", () => {
  it("opens one connection to its user, and closes it when it goes", async () => {
    const page = (
      <SettingsProvider username="Zoë 6" device={self} defaults={defaults} auth={auth} fallback={<p>none</p>}>
        <Badge />
      </SettingsProvider>
    );
    const { unmount } = render(page);
    expect(screen.getByText("connecting")).toBeInTheDocument();
    await waitFor(() => expect(HandSocket.all).toHaveLength(1));
    const [socket] = HandSocket.all;
    expect(socket?.url).toBe("ws://localhost:3000/api/v1/users/Zo%C3%AB%206/ws");
    expect(socket?.protocol).toBe("settings-sync.v1");
    socket?.onopen?.();
    await waitFor(() => expect(screen.getByText("catching-up")).toBeInTheDocument());
    expect(JSON.parse(socket?.sent[0] ?? "")).toEqual({ type: "hello", token: "t1" });
    unmount();
    expect(socket?.closedWith).toBe(1000);
  });
});

describe("the browser's socket", () => {
  it("tells what happens to it", () => {
    const told: unknown[] = [];
    const socket = browserSocket("ws://here/ws", "p", {
      open: () => told.push("open"),
      message: (data) => told.push(data),
      close: (code) => told.push(code),
    });
    const [hand] = HandSocket.all;
    hand?.onopen?.();
    hand?.onmessage?.({ data: "frame" });
    hand?.onclose?.({ code: 1001 });
    socket.send("text");
    if (hand) hand.readyState = 2; // the peer has closed, and nobody has been told yet
    socket.send("too late");
    socket.close(1000);
    expect([told, hand?.sent, hand?.closedWith]).toEqual([["open", "frame", 1001], ["text"], 1000]);
  });
});

describe("the browser's environment", () => {
  it("[V6] makes patch ids the wire allows, each only once", () => {
    const ids = Array.from({ length: 100 }, browserEnvironment.newId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(100);
  });

  // Fault C9: iOS brings a page back by "pageshow" alone.
  it.each([
    ["window", "offline"],
    ["window", "online"],
    ["window", "pageshow"],
    ["window", "focus"],
    ["document", "visibilitychange"],
    ["document", "resume"],
  ] as const)("wakes by %s %s, until undone", (on, type) => {
    const target = { window, document }[on];
    let woken = 0;
    const undo = browserEnvironment.onWake(() => woken++);
    target.dispatchEvent(new Event(type));
    expect([woken, browserEnvironment.visible()]).toEqual([1, true]);
    undo();
    target.dispatchEvent(new Event(type));
    expect(woken).toBe(1);
  });

  it("has another network after it was without one", () => {
    vi.useFakeTimers({ now: Date.now() + 1000 });
    expect(browserEnvironment.networkChangedAt()).toBeLessThan(Date.now());
    window.dispatchEvent(new Event("online"));
    expect(browserEnvironment.networkChangedAt()).toBe(Date.now());
    vi.useRealTimers();
  });

  it("has a clock that can be taken back", () => {
    vi.useFakeTimers({ now: 1000 });
    let run = 0;
    browserEnvironment.after(10, () => run++);
    browserEnvironment.after(10, () => run++)();
    vi.advanceTimersByTime(10);
    expect([run, browserEnvironment.now()]).toEqual([1, 1010]);
    expect(browserEnvironment.random()).toBeLessThan(1);
    vi.useRealTimers();
  });
});
