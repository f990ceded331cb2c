import type { BrowserContext } from "@playwright/test";
import { expect, test } from "./fixtures";

const user = "TestUser6";

/** A network on which no WebSocket ever opens, as behind some proxies: it is left in the air. */
async function withoutSockets(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    class NeverOpens extends EventTarget {
      readyState = 0;
      close() {
        this.readyState = 3;
      }
      send() {}
    }
    Object.defineProperty(window, "WebSocket", { value: NeverOpens });
  });
}

test("where no WebSocket gets through, an event stream does the same", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await withoutSockets(firefox.context);
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  await expect(firefox.page.getByText("by event stream")).toBeVisible();
  await expect(chrome.page.getByText("by WebSocket")).toBeVisible();

  await chrome.salary.fill("4000");
  await firefox.shows({ salary: 4000 });
  await firefox.username.fill("Ann");
  await firefox.saved();
  await firefox.terms.check();
  await chrome.shows({ username: "Ann", terms: true, salary: 4000 });
  await expect(chrome.online("Firefox.test6")).toBeVisible();

  // What worked is remembered: a reload does not try the socket for seconds again.
  await firefox.page.reload();
  await firefox.connected();
  await expect(firefox.page.getByText("by event stream")).toBeVisible();
  await firefox.shows({ username: "Ann", terms: true, salary: 4000 });
});

test("ten tabs of one browser are one connection, and all of them live", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  const tabs = [chrome];
  for (let n = 1; n < 10; n++) {
    const tab = await chrome.secondTab();
    await tab.open(`/app?user=${user}`);
    await tab.connected();
    tabs.push(tab);
  }
  const members = await firefox.page.evaluate(async (name) => {
    const token = await fetch("/api/v1/refresh", { method: "POST" }).then((answer) => answer.json());
    const answer = await fetch(`/api/v1/users/${name}/devices`, {
      headers: { Authorization: `Bearer ${token.accessToken}` },
    });
    return (await answer.json()).devices as { name: string; sessions: number }[];
  }, user);
  expect(members.find((member) => member.name === "Chrome.test6")?.sessions).toBe(1);

  await firefox.salary.fill("7000");
  for (const tab of tabs) await tab.shows({ salary: 7000 });
  const last = tabs.at(-1);
  await last?.username.fill("from the tenth");
  await firefox.shows({ username: "from the tenth" });
  for (const tab of tabs) await tab.shows({ username: "from the tenth" });

  // The tab that holds the connection goes; another takes over.
  await chrome.page.close();
  await firefox.salary.fill("1234");
  for (const tab of tabs.slice(1)) await tab.shows({ salary: 1234 });
  await last?.salary.fill("4321");
  await firefox.shows({ salary: 4321 });
});
