import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import type { Device } from "./device";
import { expect, test } from "./fixtures";

const user = "TestUser6";
const pictures = resolve(import.meta.dirname, "../../img");
const wide = { width: 1120, height: 760 };
const half = { width: 620, height: 760 };

// Without motion, so that no picture is taken half way.
test.use({ contextOptions: { viewport: wide, reducedMotion: "reduce", colorScheme: "light" } });

test("the demo's steps, in pictures", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");

  await chrome.open("/register");
  await fillRegister(chrome);
  await save(chrome, "screenshot_1");
  await chrome.register();
  await chrome.page.getByLabel("deviceName", { exact: true }).fill(chrome.name);
  await chrome.page.getByLabel("password", { exact: true }).fill("correct horse battery");
  await save(chrome, "screenshot_2");
  await chrome.logIn();
  await expect(chrome.page.getByText("No user to join yet")).toBeVisible();
  await save(chrome, "screenshot_3");

  await chrome.connect(user);
  await chrome.username.fill("Alex Doe");
  await chrome.email.fill("alex@example.org");
  await chrome.saved();
  await rest(chrome);
  await save(chrome, "screenshot_5");

  await firefox.register();
  await firefox.logIn();
  await expect(firefox.button("join")).toBeVisible();
  await save(firefox, "screenshot_4");
  await firefox.join(user);
  await firefox.shows({ username: "Alex Doe" });
  await expect(chrome.online("Firefox.test6")).toBeVisible();
  // A whole page in one picture has no edge for the notice of the new device to float at.
  const news = chrome.page.getByRole("complementary", { name: "new device" });
  await news.getByRole("button", { name: "dismiss" }).click();
  await expect(news).toHaveCount(0);
  await together(chrome, firefox, "screenshot_6");

  await chrome.period.fill("6");
  await chrome.salary.fill("4200");
  await chrome.terms.check();
  await chrome.saved();
  await chrome.salary.focus();
  await firefox.shows({ period: 6, salary: 4200, terms: true });
  await expect(chrome.page.getByText("on all 2 devices")).toBeVisible();
  await save(chrome, "screenshot_7");
  await save(firefox, "screenshot_8");

  await firefox.page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await save(firefox, "dark");
  await firefox.page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await firefox.page.setViewportSize({ width: 390, height: 844 });
  await save(firefox, "phone");
});

async function fillRegister({ page, name }: Device): Promise<void> {
  await page.getByLabel("deviceName", { exact: true }).fill(name);
  await page.getByLabel("email", { exact: true }).fill("test6@example.org");
  await page.getByLabel("password", { exact: true }).fill("correct horse battery");
  await page.getByLabel("confirm password", { exact: true }).fill("correct horse battery");
}

/** Leaves the field that was typed in. */
async function rest({ page }: Device): Promise<void> {
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
}

/** Waits for the letters, and takes back the room kept free for a scroll bar: a picture has none. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    document.documentElement.style.scrollbarGutter = "auto";
    await document.fonts.ready;
  });
}

async function save({ page }: Device, name: string): Promise<void> {
  await settle(page);
  await write(page, name);
}

/** Both devices beside each other, each under its name. */
async function together(left: Device, right: Device, name: string): Promise<void> {
  const shots: string[] = [];
  for (const one of [left, right]) {
    await rest(one);
    await one.page.setViewportSize(half);
    await settle(one.page);
    const shot = await one.page.screenshot({ fullPage: true });
    await one.page.setViewportSize(wide);
    shots.push(
      `<figure><figcaption>${one.name}</figcaption><img alt="" src="data:image/png;base64,${shot.toString("base64")}"></figure>`,
    );
  }
  const page = await left.context.newPage();
  await page.setViewportSize({ width: 2 * half.width + 3 * 24, height: 400 });
  await page.setContent(`<!doctype html><style>
    body { margin: 0; padding: 24px; display: flex; gap: 24px; background: #dfe3e8; font: 600 15px sans-serif }
    figure { margin: 0; border-radius: 10px; overflow: hidden; box-shadow: 0 6px 24px #0003; background: #fff }
    figcaption { padding: 10px 16px; background: #c5ccd4; color: #222 }
    img { display: block; width: ${half.width}px }
  </style>${shots.join("")}`);
  await write(page, name);
  await page.close();
}

async function write(page: Page, name: string): Promise<void> {
  const path = resolve(pictures, `${name}.png`);
  await page.screenshot({ path, fullPage: true, animations: "disabled", caret: "hide" });
  expect((await stat(path)).size, name).toBeLessThan(300_000);
}
