import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { browserTabs, type Tabs } from "./tabs";
import { turns } from "./testing/fake-http";

interface Waiting {
  readonly start: () => void;
}

/** Web Locks as far as they are used: one holder, a queue, a signal, stealing. */
class FakeLocks {
  private reject: ((reason: Error) => void) | null = null;
  private queue: Waiting[] = [];

  readonly request = (
    _name: string,
    { steal = false, signal }: { steal?: boolean; signal?: AbortSignal },
    hold: () => Promise<void>,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = () => {
        this.reject = reject;
        const free = () => {
          if (this.reject !== reject) return;
          this.reject = null;
          this.queue.shift()?.start();
        };
        void hold().then(() => {
          free();
          resolve();
        });
      };
      if (steal) {
        this.reject?.(new Error("stolen"));
        start();
      } else if (this.reject) {
        const waiting = { start };
        this.queue.push(waiting);
        signal?.addEventListener("abort", () => {
          this.queue = this.queue.filter((one) => one !== waiting);
          reject(new Error("aborted"));
        });
      } else start();
    });
}

beforeEach(() => {
  Object.defineProperty(navigator, "locks", { value: new FakeLocks(), configurable: true });
});
afterEach(() => {
  Reflect.deleteProperty(navigator, "locks");
  vi.unstubAllGlobals();
});

function open(id: string): Tabs {
  const tabs = browserTabs("social-hub:d_1:u", id);
  if (!tabs) throw new Error("no tabs");
  return tabs;
}

describe("tabs of a browser", () => {
  it("elect the first, then the next when it gives up", async () => {
    const told: string[] = [];
    const lead = (id: string, steal = false) =>
      open(id).lead(
        steal,
        () => told.push(`${id} elected`),
        () => told.push(`${id} deposed`),
      );
    const a = lead("a");
    lead("b");
    await turns();
    expect(told).toEqual(["a elected"]);
    a();
    await turns();
    expect(told).toEqual(["a elected", "b elected"]);
  });

  it("one that withdraws is never elected", async () => {
    const told: string[] = [];
    const a = open("a").lead(
      false,
      () => told.push("a"),
      () => {},
    );
    const b = open("b").lead(
      false,
      () => told.push("b"),
      () => told.push("b deposed"),
    );
    b();
    a();
    await turns();
    expect(told).toEqual(["a"]);
  });

  it("a stolen lead is told to who had it", async () => {
    const told: string[] = [];
    const first = open("a").lead(
      false,
      () => told.push("a elected"),
      () => told.push("a deposed"),
    );
    open("b").lead(
      true,
      () => told.push("b elected"),
      () => told.push("b deposed"),
    );
    await turns();
    expect(told).toEqual(["a elected", "b elected", "a deposed"]);
    first();
  });

  it("hear each other, and a closed one nobody", async () => {
    const a = open("a");
    const b = open("b");
    const heard: unknown[] = [];
    const undo = b.onMessage((message) => heard.push(message));
    a.post({ type: "ask" });
    await vi.waitFor(() => expect(heard).toEqual([{ type: "ask" }]));
    undo();
    b.post("after closing");
    a.post("nobody hears");
    await turns();
    expect(heard).toHaveLength(1);
  });

  it("are none where the browser has no locks or no channel", () => {
    Reflect.deleteProperty(navigator, "locks");
    expect(browserTabs("n", "a")).toBeNull();
    Object.defineProperty(navigator, "locks", { value: new FakeLocks(), configurable: true });
    vi.stubGlobal("BroadcastChannel", undefined);
    expect(browserTabs("n", "a")).toBeNull();
  });
});
