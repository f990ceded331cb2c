import AxeBuilder from "@axe-core/playwright";
import type { Locator } from "@playwright/test";
import { type Device, defaults } from "./device";
import { expect, test } from "./fixtures";
import { Script } from "./script";

const user = "TestUser6";

test.use({ contextOptions: { reducedMotion: "reduce" } });

async function pair(device: (name: string) => Promise<Device>): Promise<[Device, Device]> {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  return [chrome, firefox];
}

async function openHistory({ page }: Device): Promise<void> {
  await page.locator("summary").filter({ hasText: "History" }).click();
}

/** The entries of today, newest first. */
function entries({ page }: Device): Locator {
  return page.getByRole("region", { name: /^(Today|Yesterday)$/ }).getByRole("listitem");
}

async function accessible({ page }: Device, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("; ")}`),
    what,
  ).toEqual([]);
}

test("a drag is one entry, appears live, and one click undoes it everywhere", async ({ device }) => {
  const [chrome, firefox] = await pair(device);
  await openHistory(chrome);
  await expect(chrome.page.getByText("Nothing was changed yet.")).toBeVisible();

  await firefox.drag(firefox.salary, 0.8);
  await firefox.page.mouse.up();
  await firefox.saved();
  const dragged = Number(await firefox.salary.inputValue());
  await expect(entries(chrome)).toHaveCount(1);
  await expect(entries(chrome)).toContainText("$2,500 (default)");
  await expect(entries(chrome)).toContainText(`$${dragged.toLocaleString("en-US")}`);
  await expect(entries(chrome)).toContainText("Firefox.test6");
  await accessible(chrome, "the history");

  await entries(chrome).getByRole("button", { name: "undo" }).click();
  await chrome.shows(defaults);
  await firefox.shows(defaults);
  await expect(entries(chrome)).toHaveCount(2);
});

test("what was changed since is reported, not clobbered", async ({ device, faults }) => {
  faults.expect(/status of 409/);
  const [chrome, firefox] = await pair(device);
  await firefox.period.fill("6");
  await firefox.saved();
  await chrome.shows({ period: 6 });
  await chrome.period.fill("9");
  await chrome.saved();
  await openHistory(firefox);
  await expect(entries(firefox)).toHaveCount(2);
  await entries(firefox).last().getByRole("button", { name: "undo" }).click();
  await expect(firefox.page.getByRole("alert").filter({ hasText: "Changed since" })).toContainText(
    "Billing period is now 9 months",
  );
  await accessible(firefox, "an undo that was refused");
  await firefox.shows({ period: 9 });
  await chrome.shows({ period: 9 });
});

test("restore to here shows what it does, then does it on every device", async ({ device }) => {
  const [chrome, firefox] = await pair(device);
  await chrome.salary.fill("3000");
  await chrome.saved();
  await chrome.period.fill("6");
  await chrome.saved();
  await chrome.salary.fill("9000");
  await firefox.shows({ period: 6, salary: 9000 });
  await openHistory(firefox);
  await expect(entries(firefox)).toHaveCount(3);
  await entries(firefox).last().getByRole("button", { name: "restore to here" }).click();
  const dialog = firefox.page.getByRole("dialog");
  await expect(dialog.getByRole("listitem")).toHaveCount(2);
  await accessible(firefox, "what restoring would do");
  await dialog.getByRole("button", { name: "restore" }).click();
  await expect(dialog).toHaveCount(0);
  await chrome.shows({ period: 3, salary: 3000 });
});

test("why is it so: from the default to who set it, and back by one", async ({ device }) => {
  const [chrome, firefox] = await pair(device);
  await chrome.salary.fill("3000");
  await chrome.saved();
  await firefox.shows({ salary: 3000 });
  await firefox.salary.fill("4200");
  await firefox.saved();
  await chrome.page.getByRole("button", { name: "why is it so" }).last().click();
  const dialog = chrome.page.getByRole("dialog", { name: "Why is Salary so?" });
  await expect(dialog.getByRole("listitem")).toHaveText([
    /^\$2,500 \(default\)/,
    /^\$3,000.*Chrome\.test6/,
    /^\$4,200.*Firefox\.test6/,
  ]);
  await accessible(chrome, "why a field is so");
  await dialog.getByRole("button", { name: "undo the last change" }).click();
  await expect(dialog.getByRole("listitem")).toHaveCount(4);
  await chrome.page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await chrome.shows({ salary: 3000 });
  await firefox.shows({ salary: 3000 });
});

test("export, change everything, import", async ({ device }) => {
  const [chrome, firefox] = await pair(device);
  await chrome.username.fill("Ann");
  await chrome.salary.fill("3000");
  await chrome.saved();
  await openHistory(chrome);
  const [download] = await Promise.all([
    chrome.page.waitForEvent("download"),
    chrome.button("export").click(),
  ]);
  const file = await download.path();
  await firefox.username.fill("Bob");
  await firefox.salary.fill("1");
  await firefox.saved();
  await chrome.shows({ username: "Bob", salary: 1 });
  await chrome.page.getByLabel("file to import").setInputFiles(file);
  const dialog = chrome.page.getByRole("dialog");
  await expect(dialog.getByRole("listitem")).toHaveCount(2);
  await dialog.getByRole("button", { name: "import them" }).click();
  await firefox.shows({ username: "Ann", salary: 3000 });
});

test("a device name that is markup is text everywhere it is shown", async ({ server, device }) => {
  const name = '<img src=x onerror="document.title=1">';
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  const script = await Script.logIn(server, name, "test6@example.org");
  await script.call("POST", `/users/${user}/join`);
  await script.call("PATCH", `/users/${user}/settings`, { billing: { salary: 4000 } });
  await chrome.shows({ salary: 4000 });
  await expect(
    chrome.page.getByRole("region", { name: "online device(s)" }).getByText(name, { exact: true }),
  ).toBeVisible();
  await openHistory(chrome);
  await expect(entries(chrome)).toContainText(name);
  await chrome.open("/devices");
  await expect(chrome.page.getByRole("listitem").filter({ hasText: name }).first()).toBeVisible();
  await expect(chrome.page.getByRole("complementary", { name: "new device" })).toContainText(name);
  expect(await chrome.page.locator("img").count()).toBe(0);
  await expect(chrome.page).toHaveTitle(/Devices/);
});

test("an e-mail shows letter by letter, and half of one is stored nowhere", async ({ server, device }) => {
  const [chrome, firefox] = await pair(device);
  await chrome.email.focus();
  for (const [i, letter] of [..."zoe@example.org"].entries()) {
    await chrome.page.keyboard.type(letter);
    if (i === 3) await firefox.shows({ email: "zoe@" });
  }
  await firefox.shows({ email: "zoe@example.org" });
  await chrome.saved();
  for (let i = 0; i < 4; i++) await chrome.page.keyboard.press("Backspace");
  await firefox.shows({ email: "zoe@example" });
  // The last whole address on the way there is what is stored.
  await firefox.page.reload();
  await firefox.connected();
  await firefox.shows({ email: "zoe@example.o" });
  const script = await Script.logIn(server, "Script.test6", "test6@example.org");
  await script.call("POST", `/users/${user}/join`);
  expect(JSON.stringify(await script.settings(user))).toContain('"email":"zoe@example.o"');
});
