import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { browserTabs, openChannel, type Tabs, withLock } from "./tabs";
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

// Fault B7: where storage is blocked, locks are there and every request is refused.
describe("a browser that forbids locks", () => {
  beforeEach(() => {
    const request = () => Promise.reject(new DOMException("The request was denied.", "SecurityError"));
    Object.defineProperty(navigator, "locks", { value: { request }, configurable: true });
  });

  it.each([false, true])("lets every tab lead itself (steal: %s)", async (steal) => {
    const told: string[] = [];
    const undo = open("a").lead(
      steal,
      () => told.push("elected"),
      () => told.push("deposed"),
    );
    open("b").lead(
      steal,
      () => told.push("elected too"),
      () => told.push("deposed"),
    );
    await turns();
    expect(told).toEqual(["elected", "elected too"]);
    undo();
  });

  it("elects nobody who has given the wish up", async () => {
    const told: string[] = [];
    open("a").lead(
      false,
      () => told.push("elected"),
      () => told.push("deposed"),
    )();
    await turns();
    expect(told).toEqual([]);
  });

  it("runs at once what would have run alone", async () => {
    expect(await withLock("a", async () => 7)).toBe(7);
    await expect(withLock("a", () => Promise.reject(new Error("its own")))).rejects.toThrow("its own");
  });

  it("may forbid channels too", () => {
    vi.stubGlobal("BroadcastChannel", () => {
      throw new DOMException("", "SecurityError");
    });
    expect(openChannel("a")).toBeNull();
    expect(browserTabs("a", "a")).toBeNull();
  });
});

it("what fails under a lock has run once", async () => {
  const run = vi.fn(() => Promise.reject(new Error("its own")));
  await expect(withLock("a", run)).rejects.toThrow("its own");
  expect(run).toHaveBeenCalledTimes(1);
});
