import type { Device } from "./device";
import { serverGone } from "./faults";
import { expect, test } from "./fixtures";
import type { Line } from "./line";

const user = "TestUser6";

test("a reload keeps the log-in and the page", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  await chrome.username.fill("Ann");
  await chrome.saved();
  await chrome.page.reload();
  await chrome.connected();
  await chrome.shows({ username: "Ann" });
  await chrome.open("/");
  await expect(chrome.heading("join to user")).toBeVisible();
  await expect(chrome.page.getByText("Chrome.test6")).toBeVisible();
});

test("log out ends it, also after a reload", async ({ device, faults }) => {
  faults.expect(/status of 401/);
  const chrome = await device("Chrome.test6");
  await chrome.register();
  await chrome.logIn();
  await chrome.button("log out").click();
  await expect(chrome.button("Log In")).toBeVisible();
  await chrome.open("/");
  await expect(chrome.button("Log In")).toBeVisible();
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`the server is restarted under both pages by ${signal}`, async ({ server, device, faults }) => {
    faults.expect(serverGone);
    const chrome = await device("Chrome.test6");
    const firefox = await device("Firefox.test6");
    await chrome.arrive(user, "connect");
    await firefox.arrive(user, "join");
    await chrome.username.fill("before");
    await chrome.saved();

    const code = await server.stop(signal);
    if (signal === "SIGTERM") expect(code).toBe(0);
    for (const one of [chrome, firefox]) await expect(one.badge).toHaveText(/^offline/);
    await chrome.salary.fill("4321");
    await firefox.terms.check();
    await expect(chrome.badge).toHaveText("offline with 1 waiting");

    await server.start();
    for (const one of [chrome, firefox]) await expect(one.badge).toHaveText("connected", { timeout: 30_000 });
    for (const one of [chrome, firefox]) await one.shows({ username: "before", salary: 4321, terms: true });
    await expect(chrome.conflict).toHaveCount(0);
  });
}

test.describe("one device cut off", () => {
  let chrome: Device;
  let firefox: Device;
  let line: Line;

  test.beforeEach(async ({ server, device, faults }) => {
    faults.expect(serverGone);
    line = await server.line();
    chrome = await device("Chrome.test6", line.origin);
    firefox = await device("Firefox.test6");
    await chrome.arrive(user, "connect");
    await firefox.arrive(user, "join");
  });

  async function cutOff(): Promise<void> {
    await chrome.context.setOffline(true);
    await line.cut();
    await expect(chrome.badge).toHaveText(/^offline/);
    await expect(firefox.online("Chrome.test6")).toHaveCount(0);
  }

  async function back(): Promise<void> {
    await line.mend();
    await chrome.context.setOffline(false);
    await expect(chrome.badge).toHaveText("connected", { timeout: 30_000 });
  }

  test("edits of both sides meet, where they touch different fields", async () => {
    await cutOff();
    await chrome.username.fill("typed offline");
    await chrome.period.fill("9");
    await expect(chrome.badge).toHaveText("offline with 2 waiting");
    await firefox.email.fill("typed@example.org");
    await firefox.salary.fill("8000");
    await firefox.saved();
    await back();
    for (const one of [chrome, firefox]) {
      await one.shows({ username: "typed offline", period: 9, email: "typed@example.org", salary: 8000 });
      await expect(one.conflict).toHaveCount(0);
    }
  });

  for (const pick of ["mine", "theirs"] as const) {
    test(`edits of one field: the person is shown both and keeps ${pick}`, async ({ faults }) => {
      faults.expect(/status of 409 .*\/settings/); // where the way back is an event stream, what waited goes by PATCH
      await chrome.username.fill("at first");
      await firefox.shows({ username: "at first" });
      await cutOff();
      await chrome.username.fill("the offline name");
      await firefox.username.fill("the online name");
      await firefox.saved();
      await firefox.username.blur(); // while it is typed in, it would only be told beside the box
      await back();
      await expect(chrome.conflict).toContainText("the offline name");
      await expect(chrome.conflict).toContainText("the online name");
      await expect(chrome.conflict).toContainText("Firefox.test6");
      await firefox.shows({ username: "the online name" }); // nothing was overwritten meanwhile
      await chrome.conflict.getByRole("button", { name: `keep ${pick}` }).click();
      await expect(chrome.conflict).toHaveCount(0);
      const kept = pick === "mine" ? "the offline name" : "the online name";
      for (const one of [chrome, firefox]) await one.shows({ username: kept });
    });
  }

  test("an edit made offline survives a reload of the page", async () => {
    await cutOff();
    await chrome.salary.fill("777");
    await expect(chrome.badge).toHaveText("offline with 1 waiting");
    // The page itself comes from the server, so it is reloaded once there is one again.
    await line.mend();
    await chrome.context.setOffline(false);
    await chrome.page.reload();
    await chrome.connected();
    await firefox.shows({ salary: 777 });
    await chrome.shows({ salary: 777 });
  });

  test("a long silence later it catches up with what it missed", async () => {
    await cutOff();
    for (const salary of [1, 2, 3, 4000]) {
      await firefox.salary.fill(String(salary));
      await firefox.saved();
    }
    await firefox.terms.check();
    await firefox.saved();
    await back();
    await chrome.shows({ salary: 4000, terms: true });
  });
});
