import AxeBuilder from "@axe-core/playwright";
import { type Device, password } from "./device";
import { expect, test } from "./fixtures";

const user = "TestUser6";

test.use({ contextOptions: { reducedMotion: "reduce" } });

async function accessible({ page }: Device, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("; ")}`),
    what,
  ).toEqual([]);
}

/** A device of another account, on the page of its users. */
async function stranger(device: (name: string) => Promise<Device>): Promise<Device> {
  const phone = await device("Phone");
  await phone.register("anna@example.org");
  await phone.logIn();
  return phone;
}

/** Asks to be let in; answers the number on the screen. */
async function askToJoin({ page }: Device): Promise<string> {
  await page.getByLabel("name of the user").fill(user);
  await page.getByRole("button", { name: "ask to join" }).click();
  const number = page.getByText(/^\d\d$/);
  await expect(number).toBeVisible();
  return (await number.textContent()) ?? "";
}

test("a lost device is revoked, and its page says so", async ({ device, faults }) => {
  faults.expect(/status of (401|403)/);
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  await chrome.page.reload();
  const news = chrome.page.getByRole("complementary", { name: "new device" });
  await expect(news).toContainText("Firefox.test6");
  await news.getByRole("link", { name: "Not me" }).click();
  const dialog = chrome.page.getByRole("dialog", { name: "Revoke Firefox.test6?" });
  await dialog.getByLabel("your password").fill("a wrong one");
  await dialog.getByRole("button", { name: "revoke", exact: true }).click();
  await expect(dialog.getByLabel("your password")).toHaveAttribute("aria-invalid", "true");
  await accessible(chrome, "a wrong password");
  await dialog.getByLabel("your password").fill(password);
  await dialog.getByRole("button", { name: "revoke", exact: true }).click();
  await expect(dialog).toHaveCount(0);

  await expect(firefox.page.getByText("This device was revoked")).toBeVisible();
  await expect(chrome.page.getByRole("listitem").filter({ hasText: "revoked Firefox.test6" })).toBeVisible();
  await expect(news).toHaveCount(0);
  await accessible(chrome, "the devices");
  await firefox.open("/login");
  await firefox.page.getByLabel("deviceName", { exact: true }).fill("Firefox.test6");
  await firefox.page.getByLabel("password", { exact: true }).fill(password);
  await firefox.button("Log In").click();
  await expect(firefox.page.getByRole("alert").filter({ hasText: /wrong/ })).toBeVisible();
});

test("a device is renamed in place, and news of it are waved through", async ({ device, faults }) => {
  faults.expect(/status of 409/);
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.register();
  await firefox.register();
  await chrome.logIn();
  const news = chrome.page.getByRole("complementary", { name: "new device" });
  await expect(news).toContainText("Firefox.test6");
  await accessible(chrome, "news of a device");
  await news.getByRole("button", { name: "dismiss" }).click();
  await expect(news).toHaveCount(0);
  await chrome.page.getByRole("link", { name: "Devices" }).click();
  const row = chrome.page.getByRole("listitem").filter({ hasText: "joined no user" }).last();
  await row.getByRole("button", { name: "rename" }).click();
  await chrome.page.getByLabel("new name of Firefox.test6").fill("Chrome.test6");
  await chrome.button("save").click();
  await expect(chrome.page.getByLabel("new name of Firefox.test6")).toHaveAttribute("aria-invalid", "true");
  await chrome.page.getByLabel("new name of Firefox.test6").fill("Laptop");
  await chrome.button("save").click();
  await expect(chrome.page.getByText("Laptop", { exact: true })).toBeVisible();
  await expect(news).toHaveCount(0);
});

test("the password is changed here, and ends the other log-ins", async ({ device, faults }) => {
  faults.expect(/status of 40[13]/);
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  await chrome.open("/devices");
  await chrome.page.getByLabel("current password").fill("a wrong one");
  await chrome.page.getByLabel("new password", { exact: true }).fill("mule by moonlight");
  await chrome.page.getByLabel("confirm new password").fill("mule by moonlight");
  await chrome.button("change password").click();
  await expect(chrome.page.getByLabel("current password")).toHaveAttribute("aria-invalid", "true");
  await chrome.page.getByLabel("current password").fill(password);
  await chrome.button("change password").click();
  await expect(chrome.page.getByText("The password is changed.")).toBeVisible();
  await expect(firefox.button("Log In").or(firefox.button("rejoin"))).toBeVisible();
});

test("a deleted account ends on every page of it", async ({ device, faults }) => {
  faults.expect(/status of 40[13]/);
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");
  await chrome.open("/devices");
  await chrome.button("delete the account").click();
  const dialog = chrome.page.getByRole("dialog", { name: "Delete this account?" });
  await dialog.getByLabel("your password").fill("a wrong one");
  await dialog.getByRole("button", { name: "delete it" }).click();
  await expect(dialog.getByLabel("your password")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("your password").fill(password);
  await dialog.getByRole("button", { name: "delete it" }).click();
  for (const one of [chrome, firefox]) await expect(one.button("Log In")).toBeVisible();
  await chrome.open("/login");
  await chrome.page.getByLabel("deviceName", { exact: true }).fill("Chrome.test6");
  await chrome.page.getByLabel("password", { exact: true }).fill(password);
  await chrome.button("Log In").click();
  await expect(chrome.page.getByRole("main").getByRole("alert")).toBeVisible();
});

test("a device of another account is let in by the number on its screen", async ({ device, faults }) => {
  faults.expect(/status of 422/);
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  const phone = await stranger(device);
  const number = await askToJoin(phone);
  await accessible(phone, "waiting");

  const card = chrome.page.getByRole("region", { name: "wants to join" });
  await expect(card).toContainText("Phone of anna@… wants to join TestUser6.");
  await accessible(chrome, "somebody at the door");
  await card.getByLabel("Type the number it shows").fill(number === "10" ? "11" : "10");
  await card.getByRole("button", { name: "approve" }).click();
  await expect(card.getByLabel("Type the number it shows")).toHaveAttribute("aria-invalid", "true");
  await card.getByLabel("Type the number it shows").fill(number);
  await card.getByRole("button", { name: "approve" }).click();
  await phone.connected();
  await expect(card).toHaveCount(0);
  await expect(chrome.online("Phone")).toBeVisible();
  await phone.salary.fill("7000");
  await chrome.shows({ salary: 7000 });

  await test.step("and removed again by an owner", async () => {
    await expect(phone.button("remove Chrome.test6")).toHaveCount(0); // it owns nothing here
    await chrome.button("remove Phone").click();
    await chrome.page.getByRole("dialog").getByRole("button", { name: "remove" }).click();
    await expect(phone.badge).toHaveText("disjoined");
    await expect(chrome.online("Phone")).toHaveCount(0);
  });
});

test("a member says no, and the device hears of it", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  const phone = await stranger(device);
  await askToJoin(phone);
  const card = chrome.page.getByRole("region", { name: "wants to join" });
  await card.getByRole("button", { name: "deny", exact: true }).click();
  await expect(phone.page.getByText("TestUser6 did not let this device in.")).toBeVisible();
  await expect(card).toHaveCount(0);
});

test("a device of another account comes in by invitation", async ({ device, faults }) => {
  faults.expect(/status of 422/);
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  await chrome.button("invite").click();
  const dialog = chrome.page.getByRole("dialog");
  const code = (await dialog.getByText(/^[A-Z]{4}-[A-Z]{4}$/).textContent()) ?? "";
  await expect(dialog.getByRole("img", { name: /QR code/ })).toBeVisible();
  await accessible(chrome, "an invitation");
  await chrome.button("done").click();

  const phone = await stranger(device);
  await phone.page.getByLabel("invitation code").fill("BCDF-GHJK");
  await phone.button("use the code").click();
  await expect(phone.page.getByLabel("invitation code")).toHaveAttribute("aria-invalid", "true");
  await phone.open(`/join?code=${code}`); // as the QR code says
  await phone.button("use the code").click();
  await phone.connected();
  await expect(chrome.online("Phone")).toBeVisible();
});
