import { defaults, email, password } from "./device";
import { expect, test } from "./fixtures";
import { Script } from "./script";

const user = "TestUser6";
const chosen = { username: "Ann", email: "ann@example.org", terms: true, period: 3, salary: 2501 };

test("a fresh third device changes nothing on the others", async ({ server, device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  await chrome.username.fill(chosen.username);
  await chrome.email.fill(chosen.email);
  await chrome.terms.check();
  await chrome.salary.fill("2501"); // the period stays at its default, which is not stored
  await firefox.shows(chosen);
  await chrome.saved();
  const script = await Script.logIn(server, "Script.test6", email);
  await script.call("POST", `/users/${user}/join`);
  const before = await script.settings(user);

  const safari = await device("Safari.test6");
  await safari.arrive(user, "join");
  await safari.shows(chosen);
  await safari.page.reload();
  await safari.connected();
  for (const one of [chrome, firefox, safari]) await one.shows(chosen);
  expect(await script.settings(user)).toEqual(before);
  await expect(chrome.online("Safari.test6")).toBeVisible();
});

test("a stranger sees and reaches nothing", async ({ server, device }) => {
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  await chrome.username.fill(chosen.username);
  await chrome.saved();

  await test.step("in the pages", async () => {
    const stranger = await device("Chrome.stranger");
    await stranger.register("stranger@example.org");
    await stranger.logIn();
    await expect(stranger.page.getByText(user, { exact: true })).toHaveCount(0);
    await stranger.open(`/app?user=${user}`);
    await expect(stranger.badge).toHaveText("not joined");
    await expect(stranger.page.getByText(chosen.username, { exact: true })).toHaveCount(0);
    await expect(stranger.username).toHaveCount(0);
  });

  await test.step("by script, where it looks like a user that does not exist", async () => {
    const stranger = await Script.logIn(server, "Script.stranger", "stranger@example.org");
    expect(await (await stranger.call("GET", "/users")).json()).toEqual({ users: [] });
    for (const [method, path] of [
      ["GET", "settings"],
      ["PATCH", "settings"],
      ["GET", "devices"],
      ["DELETE", "join"],
      ["POST", "join"],
    ] as const) {
      const body = method === "PATCH" ? { billing: { salary: 1 } } : undefined;
      const real = await stranger.call(method, `/users/${user}/${path}`, body);
      const made = await stranger.call(method, `/users/NobodyAtAll/${path}`, body);
      expect(real.status, `${method} ${path}`).toBe(made.status);
      if (path !== "join") expect(real.status, `${method} ${path}`).toBe(404);
      // Asking to join answers with a number and a name of its own, whether or not there is anybody to ask.
      const own = (text: string) => text.replace(/"(id|code)":"[^"]*"|"expiresIn":\d+/g, "$1");
      expect(own(await real.text()).replaceAll(user, "NobodyAtAll")).toBe(own(await made.text()));
    }
  });

  await test.step("with the right name and the wrong password", async () => {
    const answer = await fetch(server.api("/register"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ deviceName: "Thief.test6", email, password: `${password}!` }),
    });
    expect(answer.status).toBe(401);
  });

  await chrome.shows({ ...defaults, username: chosen.username });
  // It asked, and nobody has let it in.
  await expect(chrome.page.getByRole("region", { name: "wants to join" })).toContainText("Script.stranger");
  await expect(
    chrome.page.getByRole("region", { name: "online device(s)" }).getByText("stranger"),
  ).toHaveCount(0);
});

test("two tabs share one log-in", async ({ device, faults }) => {
  faults.expect(/status of 401/); // after the log-out
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  const tab = await chrome.secondTab();
  await tab.open(`/app?user=${user}`);
  await tab.connected();
  await expect(chrome.online("Chrome.test6")).toHaveCount(1);
  await tab.username.fill("from the second tab");
  await chrome.shows({ username: "from the second tab" });
  await chrome.button("log out").click();
  await expect(chrome.button("Log In")).toBeVisible();
  await expect(tab.button("Log In").or(tab.button("rejoin"))).toBeVisible();
});

test.describe("with tokens that end within seconds", () => {
  test.use({ environment: { ACCESS_TOKEN_TTL: "4s", AUTH_DUE_LEAD: "2s" } });

  test("two tabs renew it without signing each other out", async ({ device }) => {
    const chrome = await device("Chrome.test6");
    await chrome.arrive(user, "connect");
    const tab = await chrome.secondTab();
    let renewals = 0;
    for (const { page } of [chrome, tab]) {
      page.on("response", (response) => {
        if (response.url().endsWith("/refresh") && response.ok()) renewals++;
      });
    }
    await tab.open(`/app?user=${user}`);
    await tab.connected();
    await expect.poll(() => renewals, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
    await chrome.connected();
    await tab.connected();
    await tab.username.fill("still here");
    await chrome.shows({ username: "still here" });
    await chrome.page.reload();
    await chrome.connected();
  });
});
