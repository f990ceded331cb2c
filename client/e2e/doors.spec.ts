import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page, Route } from "@playwright/test";
import { chromium } from "./chromium";
import { Device } from "./device";
import { serverGone } from "./faults";
import { expect, test } from "./fixtures";

const user = "TestUser6";
const secret = "typed-and-secret";

/** Every address the page has had, and every one it asked for. */
function addresses(page: Page): string[] {
  const seen: string[] = [];
  page.on("request", (request) => seen.push(request.url()));
  page.on("framenavigated", (frame) => seen.push(frame.url()));
  return seen;
}

/** Types the secret into every box of the form, and sends it as a person does. */
async function send(page: Page, index = 0): Promise<void> {
  const form = page.locator("form").nth(index);
  for (const box of await form.locator("input").all()) await box.fill(`${secret}@example.org`);
  await form.locator("button[type=submit]").click();
}

test.describe("without JavaScript", () => {
  test.use({ contextOptions: { javaScriptEnabled: false } });

  // Fault B1: what was typed ended up in the address.
  test("no form of any page puts what was typed into an address", async ({ device, faults }) => {
    faults.expect(/status of 404/);
    const { page, origin } = await device("Chrome.test6");
    const seen = addresses(page);
    let forms = 0;
    for (const path of ["/", "/login", "/register", "/reset", "/app", "/devices", "/join", "/no-such-page"]) {
      await page.goto(origin + path);
      // Only in the text: a browser whose script is switched off by its driver does not draw it.
      expect(await page.locator("noscript").innerHTML()).toContain("This page needs JavaScript");
      const count = await page.locator("form").count();
      for (let index = 0; index < count; index++) {
        forms++;
        await page.goto(origin + path);
        await send(page, index);
        await expect(page).toHaveURL(`${origin}${path}?unsent=1`);
        await expect(page.locator("form input").first()).toHaveValue("");
      }
    }
    expect(forms).toBeGreaterThanOrEqual(2);
    expect(seen.filter((address) => address.includes(secret))).toEqual([]);
  });
});

// Fault B1: the same while the script is still on its way.
test("a form that is sent before the script runs sends nothing, and says so", async ({ device }) => {
  const { page, origin } = await device("Chrome.test6");
  const seen = addresses(page);
  for (const path of ["/register", "/reset"]) {
    const held: Route[] = [];
    await page.route("**/_next/static/**/*.js", (route) => void held.push(route));
    await page.goto(origin + path, { waitUntil: "commit" });
    await page.locator("form").waitFor();
    const answer = page.waitForResponse((one) => one.url().includes("unsent=1"));
    await send(page);
    await answer;
    await page.unroute("**/_next/static/**/*.js");
    // Those of the page that was left are gone.
    for (const route of held) await route.continue().catch(() => {});
    await expect(page.getByText("so nothing was sent")).toBeVisible();
    await expect(page).toHaveURL(origin + path);
    await expect(page.locator("form input").first()).toHaveValue("");
  }
  expect(seen.filter((address) => address.includes(secret))).toEqual([]);
});

// Fault B7: log-in sent no request, and the page broke.
test("a browser that blocks all cookies and storage works while its page lives", async ({
  playwright,
  server,
  faults,
  device,
}) => {
  const folder = await mkdtemp(join(tmpdir(), "social-profile-"));
  await mkdir(join(folder, "Default"));
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(settings));
  const context: BrowserContext = await playwright.chromium.launchPersistentContext(folder, chromium);
  context.on("page", (page) => faults.watch(page, "Blocked.test6"));
  const blocked = new Device("Blocked.test6", context, await context.newPage(), server.origin);
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");

  await blocked.register();
  const notice = blocked.page.getByText("This browser blocks cookies and storage for this site");
  await expect(notice).toBeVisible();
  await blocked.logIn();
  await blocked.button("theme: system").click();
  await blocked.join(user);
  await expect(blocked.button("theme: light")).toBeVisible();
  await blocked.salary.fill("4000");
  await chrome.shows({ salary: 4000 });
  await chrome.period.fill("7");
  await blocked.shows({ period: 7 });

  // A second page of this browser is its own: it leads nobody and signs nobody out.
  const second = await blocked.secondTab();
  await second.open("/");
  await expect(second.page.getByText("This browser blocks cookies and storage for this site")).toBeVisible();
  await blocked.salary.fill("4100");
  await chrome.shows({ salary: 4100 });
  await blocked.button("log out").click();
  await expect(notice).toBeVisible();
  await context.close();
  await rm(folder, { recursive: true, force: true });
});

// Fault C6: one slow socket led to a day of event stream.
test("a stream gives way to a socket by itself, and no edit is lost", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await firefox.context.addInitScript(() => {
    const Real = window.WebSocket;
    class NeverOpens extends EventTarget {
      readyState = 0;
      close() {}
      send() {}
    }
    let first = true;
    Object.defineProperty(window, "WebSocket", {
      value: function Socket(url: string, protocol: string) {
        const slow = first;
        first = false;
        return slow ? new NeverOpens() : new Real(url, protocol);
      },
    });
  });
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  await expect(firefox.page.getByText("by event stream")).toBeVisible();
  await firefox.username.fill("Ann");
  await firefox.page.evaluate(() => window.dispatchEvent(new Event("online")));
  await firefox.salary.fill("4321");
  await expect(firefox.page.getByText("by WebSocket")).toBeVisible();
  await firefox.saved();
  await chrome.shows({ username: "Ann", salary: 4321 });
  await chrome.period.fill("5");
  await firefox.shows({ username: "Ann", salary: 4321, period: 5 });
});

// Fault C9: iOS brings a page back by "pageshow" alone.
test("a page that comes back checks its link at once", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const sent: string[] = [];
  const heard: string[] = [];
  chrome.page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => void sent.push(String(payload)));
    socket.on("framereceived", ({ payload }) => void heard.push(String(payload)));
  });
  await chrome.arrive(user, "connect");
  for (const type of ["pageshow", "focus", "online"]) {
    sent.length = 0;
    heard.length = 0;
    await chrome.page.evaluate((event) => window.dispatchEvent(new Event(event)), type);
    await expect
      .poll(() => sent.filter((frame) => frame.includes('"sync"')).length, { message: type })
      .toBe(1);
    await expect.poll(() => heard.some((frame) => frame.includes('"change"'))).toBe(true);
  }
});

test("parts that are missing after an update leave the page as it is", async ({ device, faults }) => {
  faults.expect(/status of 404|Failed to load chunk|ChunkLoadError/);
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  await chrome.salary.fill("4000");
  await chrome.saved();
  await chrome.page.route("**/_next/static/**/*.js", (route) => route.fulfill({ status: 404 }));
  await chrome.button("invite").click();
  const dialog = chrome.page.getByRole("dialog", { name: "This cannot be shown now" });
  await expect(dialog.getByRole("button", { name: "reload the page" })).toBeVisible();
  await dialog.getByRole("button", { name: "close" }).click();
  await chrome.salary.fill("4100");
  await chrome.saved();
  await chrome.button("invite").click();
  await expect(dialog).toBeVisible();
  await chrome.page.unroute("**/_next/static/**/*.js");
  await dialog.getByRole("button", { name: "reload the page" }).click();
  await chrome.connected();
  await chrome.shows({ salary: 4100 });
  await chrome.button("invite").click();
  await expect(chrome.page.getByRole("dialog", { name: `Invite a device to ${user}` })).toBeVisible();
});

// A page translated by the browser went on saying "connected" while it was offline.
test("a translated page says what is so, and does not break", async ({ server, device, faults }) => {
  faults.expect(serverGone);
  const line = await server.line();
  const chrome = await device("Chrome.test6", line.origin);
  const firefox = await device("Firefox.test6");
  await firefox.arrive(user, "connect");
  await chrome.arrive(user, "join");
  await chrome.page.evaluate(() => {
    const translate = (text: Node) => {
      if (!text.textContent?.trim() || text.parentElement?.closest("font, [translate=no], script")) return;
      const outer = document.createElement("font");
      const inner = document.createElement("font");
      inner.textContent = text.textContent;
      outer.append(inner);
      text.parentNode?.replaceChild(outer, text);
    };
    const walk = () => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: Node[] = [];
      while (texts.nextNode()) found.push(texts.currentNode);
      for (const text of found) translate(text);
    };
    new MutationObserver(walk).observe(document.body, {
      childList: true,
      subtree: true,
      characterData: true,
    });
    walk();
  });
  await chrome.salary.fill("4000");
  await chrome.saved();
  await firefox.salary.fill("5000");
  await chrome.shows({ salary: 5000 });
  await chrome.page.getByText("History").click();
  await expect(chrome.page.getByText("$5,000")).toBeVisible();
  await line.cut();
  await expect(chrome.badge).toHaveText(/^offline/);
  await chrome.period.fill("9");
  await expect(chrome.badge).toHaveText("offline with 1 waiting");
  await expect(chrome.page.getByText("not known now")).toBeVisible();
  await line.mend();
  await chrome.connected();
  await firefox.shows({ period: 9 });
  await firefox.page.close();
  await expect(chrome.page.getByText("1 of 2")).toBeVisible();
  await chrome.page.getByRole("link", { name: "Devices" }).click();
  await expect(chrome.heading("Your devices")).toBeVisible();
});

test("a user opened in another case is the same user", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  await chrome.open(`/app?user=${user.toLowerCase()}`);
  await chrome.connected();
  await expect(chrome.page).toHaveURL(`${chrome.origin}/app?user=${user}`);
  await expect(chrome.button("remove Firefox.test6")).toBeVisible();
  await expect(chrome.page.getByText(user, { exact: true })).toBeVisible();
  await firefox.open(`/app?user=${user.toUpperCase()}`);
  await firefox.connected();
  await firefox.salary.fill("4200");
  await chrome.shows({ salary: 4200 });
});
