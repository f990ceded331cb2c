// @vitest-environment node
import { describe, expect, it } from "vitest";
import { FakeClock, settle } from "@/sync/testing/fake-clock";
import type { AuthEnvironment } from "./auth-environment";
import { BrowserAuthSession } from "./auth-session";

const device = { id: "d_1", name: "Chrome.test6" };

/** Time passes, and answers are read: bodies of a Response take turns of the real event loop. */
async function pass(browser: Browser, ms = 0): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  await browser.clock.advance(ms);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** One browser: its cookie, its storage, its lock and channel, and the server behind it. */
class Browser {
  readonly clock = new FakeClock();
  readonly calls: string[] = [];
  readonly bodies: unknown[] = [];
  readonly storage = new Map<string, string>();
  readonly tabs = new Set<(message: unknown) => void>();
  readonly online = new Set<() => void>();
  locks = true;
  network = true;
  storageWorks = true;
  keepsCookies = true;
  /** The refresh cookie: changes with each use; null = none. */
  cookie: string | null = null;
  /** What the server accepts; a used one ends the session, as a theft would. */
  private valid: string | null = null;
  private count = 0;
  private queue: Promise<unknown> = Promise.resolve();

  readonly env = (): AuthEnvironment => {
    let mine: ((message: unknown) => void) | null = null;
    return {
      send: this.send,
      now: this.clock.now,
      after: this.clock.after,
      alone: (run) => {
        if (!this.locks) return run();
        const turn = this.queue.then(run);
        this.queue = turn.catch(() => {});
        return turn;
      },
      canBeAlone: () => this.locks,
      tell: (message) => {
        for (const tab of [...this.tabs]) if (tab !== mine) tab(structuredClone(message));
      },
      onTold: (listener) => {
        mine = listener;
        this.tabs.add(listener);
        return () => this.tabs.delete(listener);
      },
      keepsCookies: () => this.keepsCookies,
      onWake: (listener) => {
        this.online.add(listener);
        return () => this.online.delete(listener);
      },
      recall: (key) => (this.storageWorks ? (this.storage.get(key) ?? null) : null),
      remember: (key, value) => {
        if (!this.storageWorks) return;
        if (value === null) this.storage.delete(key);
        else this.storage.set(key, value);
      },
      canRemember: () => this.storageWorks,
    };
  };

  readonly tab = () => new BrowserAuthSession(this.env);

  private readonly send = async (path: string, init: RequestInit): Promise<Response> => {
    this.calls.push(path.replace("/api/v1", ""));
    this.bodies.push(JSON.parse(String(init.body)));
    const sentCookie = this.cookie;
    await settle();
    if (!this.network) throw new TypeError("network");
    switch (path) {
      case "/api/v1/login": {
        const body = JSON.parse(String(init.body));
        if (body.password !== "right") return problem(401, "unauthorized", "Wrong device name or password.");
        return this.grant(body.session === "cookie");
      }
      case "/api/v1/refresh": {
        const sent = JSON.parse(String(init.body)).refreshToken ?? sentCookie;
        if (sent === null || sent !== this.valid) return problem(401, "unauthorized", "Signed out.");
        return this.grant(sent === sentCookie);
      }
      default:
        this.valid = this.cookie = null;
        return new Response(null, { status: 204 });
    }
  };

  private grant(byCookie: boolean): Response {
    this.valid = `cookie-${++this.count}`;
    if (byCookie && this.keepsCookies) this.cookie = this.valid;
    const inBody = byCookie ? {} : { refreshToken: this.valid };
    return Response.json({
      accessToken: `a${this.count}`,
      tokenType: "Bearer",
      expiresIn: 900,
      device,
      ...inBody,
    });
  }
}

function problem(status: number, code: string, detail: string): Response {
  return Response.json(
    { status, code, detail, errors: [{ field: "password", message: "wrong" }] },
    { status },
  );
}

async function signedIn() {
  const browser = new Browser();
  const tab = browser.tab();
  tab.subscribe(() => {});
  await tab.signIn(device.name, "right");
  return { browser, tab };
}

describe("signing in", () => {
  it("asks for a cookie session and keeps the token in memory only", async () => {
    const { browser, tab } = await signedIn();
    expect(browser.bodies).toEqual([{ deviceName: device.name, password: "right", session: "cookie" }]);
    expect(tab.getSnapshot()).toEqual({ state: "signed-in", device });
    expect(await tab.accessToken()).toMatchObject({ token: "a1" });
    expect([...browser.storage.values()].join()).not.toContain("a1");
  });

  it("[E6] tells the server's problem", async () => {
    const tab = new Browser().tab();
    expect(await tab.signIn(device.name, "wrong")).toEqual({
      ok: false,
      problem: {
        status: 401,
        code: "unauthorized",
        detail: "Wrong device name or password.",
        errors: [{ field: "password", message: "wrong" }],
      },
    });
    expect(tab.getSnapshot()).toEqual({ state: "signed-out" });
  });

  it("tells an unreachable server apart", async () => {
    const browser = new Browser();
    browser.network = false;
    const outcome = await browser.tab().signIn(device.name, "right");
    expect(outcome.ok === false && outcome.problem.status).toBe(0);
  });
});

describe("a new page", () => {
  it("of a browser nobody signed in on asks the server nothing", async () => {
    const browser = new Browser();
    const tab = browser.tab();
    expect(tab.getSnapshot()).toEqual({ state: "starting" });
    tab.subscribe(() => {});
    await settle();
    expect(tab.getSnapshot()).toEqual({ state: "signed-out" });
    expect(await tab.accessToken()).toBeNull();
    expect(browser.calls).toEqual([]);
  });

  it("is signed in again by one refresh", async () => {
    const { browser, tab } = await signedIn();
    tab.stop();
    const next = browser.tab();
    next.subscribe(() => {});
    await pass(browser);
    expect(next.getSnapshot()).toEqual({ state: "signed-in", device });
    expect(browser.calls).toEqual(["/login", "/refresh"]);
    expect(await next.accessToken()).toMatchObject({ token: "a2" });
  });

  it("whose log-in has ended is signed out", async () => {
    const { browser, tab } = await signedIn();
    tab.stop();
    browser.cookie = null;
    const next = browser.tab();
    next.subscribe(() => {});
    await pass(browser, 100);
    expect(next.getSnapshot()).toEqual({ state: "signed-out" });
  });

  it("without the network knows whose it was, and asks again", async () => {
    const { browser, tab } = await signedIn();
    tab.stop();
    browser.network = false;
    const next = browser.tab();
    next.subscribe(() => {});
    await pass(browser, 100);
    expect(next.getSnapshot()).toEqual({ state: "unreachable", device });
    await expect(next.accessToken()).rejects.toThrow();
    browser.network = true;
    await pass(browser, 3000);
    expect(next.getSnapshot()).toEqual({ state: "signed-in", device });
  });

  it("comes back at once when the network does", async () => {
    const { browser, tab } = await signedIn();
    tab.stop();
    browser.network = false;
    const next = browser.tab();
    next.subscribe(() => {});
    await pass(browser, 100);
    browser.network = true;
    for (const listener of browser.online) listener();
    await pass(browser, 100);
    expect(next.getSnapshot().state).toBe("signed-in");
  });

  it("asks the server where storage is blocked, since the cookie may still be there", async () => {
    const { browser, tab } = await signedIn();
    tab.stop();
    browser.storageWorks = false;
    const next = browser.tab();
    next.subscribe(() => {});
    await pass(browser, 100);
    expect(next.getSnapshot().state).toBe("signed-in");
  });
});

describe("tokens", () => {
  it("are used until shortly before they end, then renewed", async () => {
    const { browser, tab } = await signedIn();
    await pass(browser, 869_000);
    expect(await tab.accessToken()).toMatchObject({ token: "a1" });
    await pass(browser, 2_000);
    expect(await tab.accessToken()).toMatchObject({ token: "a2" });
  });

  it("asked for by many at once cost one refresh", async () => {
    const { browser, tab } = await signedIn();
    const tokens = await Promise.all([tab.renew(), tab.renew(), tab.renew()]);
    expect(tokens.map((token) => token?.token)).toEqual(["a2", "a2", "a2"]);
    expect(browser.calls).toEqual(["/login", "/refresh"]);
  });

  it("a refresh that fails for another reason signs nobody out", async () => {
    const { browser, tab } = await signedIn();
    browser.network = false;
    await expect(tab.renew()).rejects.toThrow();
    expect(tab.getSnapshot()).toEqual({ state: "signed-in", device });
    browser.network = true;
    expect(await tab.renew()).toMatchObject({ token: "a2" });
  });
});

// Fault B7: all cookies and storage are blocked.
describe("without cookies", () => {
  async function signedInHere() {
    const browser = new Browser();
    browser.keepsCookies = false;
    browser.storageWorks = false;
    const tab = browser.tab();
    tab.subscribe(() => {});
    await pass(browser);
    await tab.signIn(device.name, "right");
    return { browser, tab };
  }

  it("a page that opens asks the server nothing: it has nothing to ask with", async () => {
    const browser = new Browser();
    browser.keepsCookies = false;
    browser.storageWorks = false;
    const tab = browser.tab();
    tab.subscribe(() => {});
    await pass(browser);
    expect([tab.getSnapshot().state, browser.calls]).toEqual(["signed-out", []]);
  });

  it("the log-in lives as long as the page, however often its token is renewed", async () => {
    const { browser, tab } = await signedInHere();
    expect(browser.bodies).toEqual([{ deviceName: device.name, password: "right" }]);
    for (const token of ["a2", "a3"]) {
      await pass(browser, 900_000);
      expect(await tab.accessToken()).toMatchObject({ token });
    }
    expect(browser.storage.size).toBe(0);
  });

  it("another page is its own: it signs nobody out", async () => {
    const { browser, tab } = await signedInHere();
    const second = browser.tab();
    second.subscribe(() => {});
    await pass(browser);
    expect([tab.getSnapshot().state, second.getSnapshot().state]).toEqual(["signed-in", "signed-out"]);
    expect(browser.calls).toEqual(["/login"]);
  });

  it("signing out ends it on the server", async () => {
    const { browser, tab } = await signedInHere();
    await tab.signOut();
    expect(browser.calls).toEqual(["/login", "/logout"]);
    expect(browser.bodies.at(-1)).toEqual({ refreshToken: "cookie-1" });
    expect(await tab.accessToken()).toBeNull();
  });
});

describe("two tabs", () => {
  async function two() {
    const { browser, tab } = await signedIn();
    const second = browser.tab();
    second.subscribe(() => {});
    await pass(browser, 100);
    return { browser, first: tab, second };
  }

  it("share every new token", async () => {
    const { first, second } = await two();
    expect((await first.accessToken())?.token).toBe((await second.accessToken())?.token);
  });

  it("that renew at the same moment refresh once, and neither is signed out", async () => {
    const { browser, first, second } = await two();
    const before = browser.calls.length;
    const [a, b] = await Promise.all([first.renew(), second.renew()]);
    expect(a?.token).toBe(b?.token);
    expect(browser.calls).toHaveLength(before + 1);
    expect([first.getSnapshot().state, second.getSnapshot().state]).toEqual(["signed-in", "signed-in"]);
  });

  it("survive it even where the browser has no locks", async () => {
    const { browser, first, second } = await two();
    browser.locks = false;
    const both = Promise.all([first.renew(), second.renew()]);
    await pass(browser, 2000);
    const [a, b] = await both;
    expect(a).not.toBeNull();
    expect(b).not.toBeNull();
    expect([first.getSnapshot().state, second.getSnapshot().state]).toEqual(["signed-in", "signed-in"]);
  });

  it("sign out together", async () => {
    const { browser, first, second } = await two();
    let told = 0;
    second.subscribe(() => told++);
    await first.signOut();
    expect(second.getSnapshot()).toEqual({ state: "signed-out" });
    expect(told).toBe(1);
    expect(await second.accessToken()).toBeNull();
    expect(browser.calls.at(-1)).toBe("/logout");
  });

  it("sign in together", async () => {
    const { first, second } = await two();
    await first.signOut();
    await first.signIn(device.name, "right");
    expect(second.getSnapshot()).toEqual({ state: "signed-in", device });
  });

  it("do not take orders from what is no message of theirs", async () => {
    const { browser, first } = await two();
    for (const tab of browser.tabs) {
      for (const message of [
        null,
        "signed-out",
        { type: "token" },
        { type: "else" },
        { type: "token", token: 1 },
      ]) {
        tab(message);
      }
    }
    expect(first.getSnapshot()).toEqual({ state: "signed-in", device });
  });
});

describe("signing out", () => {
  it("without the network is made good by the next page, which stays signed out", async () => {
    const { browser, tab } = await signedIn();
    browser.network = false;
    await tab.signOut();
    expect(tab.getSnapshot()).toEqual({ state: "signed-out" });
    tab.stop();
    browser.network = true;
    const next = browser.tab();
    next.subscribe(() => {});
    await pass(browser, 100);
    expect(next.getSnapshot()).toEqual({ state: "signed-out" });
    expect(browser.calls).toEqual(["/login", "/logout", "/logout"]);
    expect(browser.cookie).toBeNull();
  });

  it("by the server (revoked) asks it nothing more", async () => {
    const { browser, tab } = await signedIn();
    tab.forget();
    expect(tab.getSnapshot()).toEqual({ state: "signed-out", revoked: true });
    expect(browser.calls).toEqual(["/login"]);
  });

  it("stop removes every listener", async () => {
    const { browser, tab } = await signedIn();
    tab.stop();
    expect([browser.tabs.size, browser.online.size, browser.clock.waiting()]).toEqual([0, 0, 0]);
  });
});
