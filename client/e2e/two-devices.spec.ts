import { type Device, defaults } from "./device";
import { expect, test } from "./fixtures";

const user = "TestUser6";

test("the four steps, on two devices", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");

  await test.step("1 register a device", async () => {
    await chrome.register();
    await firefox.register(); // the same e-mail and password
  });
  await test.step("2 log in as the device", async () => {
    await chrome.logIn();
    await firefox.logIn();
    await expect(firefox.button("join")).toHaveCount(0);
  });
  await test.step("3 connect, then join from the other device", async () => {
    await chrome.connect(user);
    await firefox.open("/");
    await expect(firefox.page.getByRole("listitem").filter({ hasText: user })).toBeVisible();
    await firefox.join(user);
  });
  await test.step("4 use the application", async () => {
    for (const one of [chrome, firefox]) {
      await expect(one.heading("User form (block 1 to sync)")).toBeVisible();
      await expect(one.heading("Billing form (block 2 to sync)")).toBeVisible();
      await expect(one.heading("online device(s)")).toBeVisible();
      await expect(one.online("Chrome.test6")).toBeVisible();
      await expect(one.online("Firefox.test6")).toBeVisible();
      await one.shows(defaults);
    }
  });
});

test.describe("with two devices connected", () => {
  let chrome: Device;
  let firefox: Device;

  test.beforeEach(async ({ device }) => {
    chrome = await device("Chrome.test6");
    firefox = await device("Firefox.test6");
    await chrome.arrive(user, "connect");
    await firefox.arrive(user, "join");
  });

  test("each field goes both ways", async () => {
    for (const [from, to, letter] of [
      [chrome, firefox, "a"],
      [firefox, chrome, "b"],
    ] as const) {
      const values =
        letter === "a"
          ? { username: "Ann", email: "ann@example.org", terms: true, period: 7, salary: 3000 }
          : { username: "Bob", email: "", terms: false, period: 1, salary: 0 }; // false, zero and "" are choices too
      await from.username.fill(values.username);
      await to.shows({ username: values.username });
      await from.email.fill(values.email);
      await to.shows({ email: values.email });
      await from.terms.setChecked(values.terms);
      await to.shows({ terms: values.terms });
      await from.period.fill(String(values.period));
      await to.shows({ period: values.period });
      await from.salary.fill(String(values.salary));
      await to.shows(values);
      await from.shows(values);
    }
  });

  test("typing shows letter by letter", async () => {
    await chrome.username.focus();
    for (const [i, letter] of [..."Grace"].entries()) {
      await chrome.page.keyboard.type(letter);
      await firefox.shows({ username: "Grace".slice(0, i + 1) });
    }
  });

  test("text being typed is not replaced under the cursor", async () => {
    await chrome.username.pressSequentially("mine");
    await firefox.shows({ username: "mine" });
    await firefox.username.fill("theirs");
    await firefox.saved();
    await expect(chrome.page.getByText("theirs")).toBeVisible(); // told beside the box
    await expect(chrome.username).toHaveValue("mine");
    await chrome.username.blur();
    for (const one of [chrome, firefox]) await one.shows({ username: "theirs" });
  });

  test("a slider by mouse: shown while it is dragged, kept when it is let go", async () => {
    await chrome.drag(chrome.salary, 0.8);
    const dragged = Number(await chrome.salary.inputValue());
    expect(dragged).toBeGreaterThan(7000);
    await firefox.shows({ salary: dragged });
    await chrome.page.mouse.up();
    await chrome.saved();
    await firefox.page.reload();
    await firefox.shows({ salary: dragged });

    await firefox.drag(firefox.period, 1);
    await firefox.page.mouse.up();
    await chrome.shows({ period: 12, salary: dragged });
  });

  test("a slider by keyboard", async () => {
    await chrome.period.focus();
    await chrome.page.keyboard.press("ArrowRight");
    await firefox.shows({ period: 4 });
    await chrome.page.keyboard.press("End");
    await firefox.shows({ period: 12 });
    await chrome.page.keyboard.press("ArrowLeft");
    await firefox.shows({ period: 11 });
    await expect(chrome.period).toHaveAttribute("aria-valuetext", /11 month/);
    await chrome.salary.focus();
    await chrome.page.keyboard.press("Home");
    await firefox.shows({ salary: 0 });
    await chrome.page.keyboard.press("ArrowUp");
    await firefox.shows({ period: 11, salary: 1 });
  });

  test("both move one slider: no dialog, and both end equal", async () => {
    for (let i = 0; i < 5; i++) {
      await Promise.all([chrome.salary.fill(String(1000 + i)), firefox.salary.fill(String(9000 + i))]);
    }
    await chrome.saved();
    await firefox.saved();
    await expect(chrome.conflict).toHaveCount(0);
    await expect(firefox.conflict).toHaveCount(0);
    await expect
      .poll(async () => (await chrome.salary.inputValue()) === (await firefox.salary.inputValue()))
      .toBe(true);
  });

  test("reset goes back to the default on both", async () => {
    await chrome.salary.fill("9000");
    await firefox.shows({ salary: 9000 });
    await firefox.button("reset").click();
    await firefox.shows(defaults);
    await chrome.shows(defaults);
  });

  test("who is here, and who was", async () => {
    await firefox.page.close();
    await expect(chrome.online("Firefox.test6")).toHaveCount(0);
    await expect(chrome.online("Chrome.test6")).toBeVisible();
  });

  test("disjoin ends it for this device alone, and join begins it again", async () => {
    await firefox.button("disjoin").click();
    await expect(firefox.heading("join to user")).toBeVisible();
    await expect(chrome.online("Firefox.test6")).toHaveCount(0);
    await chrome.salary.fill("4000");
    await chrome.saved();
    await firefox.join(user);
    await firefox.shows({ salary: 4000 });
  });
});
