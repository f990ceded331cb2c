import AxeBuilder from "@axe-core/playwright";
import type { Device } from "./device";
import { serverGone } from "./faults";
import { expect, test } from "./fixtures";

const user = "TestUser6";

/** Fails on what axe calls serious or critical. */
async function accessible({ page }: Device, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`,
    );
  expect(serious, what).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme}`, () => {
    // Without motion, so that no colour is measured half way to another.
    test.use({ contextOptions: { colorScheme, reducedMotion: "reduce" } });

    test("axe finds nothing serious on any page", async ({ server, device, faults }) => {
      faults.expect(serverGone, /status of (401|404|422)/);
      const line = await server.line();
      const chrome = await device("Chrome.test6", line.origin);
      const firefox = await device("Firefox.test6");

      await chrome.open("/register");
      await chrome.button("Sign Up").click();
      await expect(chrome.page.locator("[aria-invalid=true]").first()).toBeVisible();
      await accessible(chrome, "register, with errors");
      await chrome.register();
      await accessible(chrome, "log in");
      await chrome.logIn();
      await accessible(chrome, "no user to join");
      await chrome.connect(user);
      await accessible(chrome, "the application, alone");
      await firefox.register();
      await firefox.logIn();
      await expect(firefox.button("join")).toBeVisible();
      await accessible(firefox, "a user to join");
      await firefox.join(user);
      await firefox.salary.fill("9000");
      await chrome.shows({ salary: 9000 });
      await accessible(chrome, "the application, with a change of another device");
      await chrome.page.getByText("Live state").click();
      await accessible(chrome, "the inspector");

      await line.cut();
      await expect(chrome.badge).toHaveText(/^offline/);
      await chrome.salary.fill("100");
      await firefox.salary.fill("200");
      await firefox.saved();
      await accessible(chrome, "offline");
      await line.mend();
      await expect(chrome.conflict).toBeVisible();
      await accessible(chrome, "a conflict");
      await chrome.open("/no-such-page");
      await accessible(chrome, "no such page");
    });
  });
}

test("the whole way by keyboard alone", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  await chrome.arrive(user, "connect");
  await chrome.page.reload();
  await chrome.connected();
  await chrome.page.keyboard.press("Tab");
  await expect(chrome.page.getByText("Skip to content")).toBeFocused();
  await chrome.page.keyboard.press("Enter");
  const reached: string[] = [];
  for (let i = 0; i < 15; i++) {
    await chrome.page.keyboard.press("Tab");
    reached.push(
      await chrome.page.evaluate(() => {
        const at = document.activeElement;
        const shown = at ? getComputedStyle(at) : null;
        const ring =
          shown && (shown.outlineStyle !== "none" || shown.boxShadow !== "none" || shown.borderColor !== "");
        return `${at?.getAttribute("type") ?? at?.tagName.toLowerCase()}${ring ? "" : " without focus ring"}`;
      }),
    );
  }
  for (const kind of ["text", "email", "checkbox", "range"]) expect(reached).toContain(kind);
  expect(reached.filter((text) => text.includes("without"))).toEqual([]);
});

test("a script that was put into a page does not run", async ({ device, faults }) => {
  faults.expect(/Content Security Policy/);
  const chrome = await device("Chrome.test6");
  for (const path of ["/register", "/login", "/no-such-page"]) {
    if (path === "/no-such-page") faults.expect(/status of 404/);
    await chrome.open(path);
    const blocked = await chrome.page.evaluate(async () => {
      const refused = new Promise<string>((tell) => {
        document.addEventListener("securitypolicyviolation", (event) => tell(event.effectiveDirective), {
          once: true,
        });
      });
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
      return { directive: await refused, ran: "injected" in window };
    });
    expect(blocked, path).toEqual({ directive: "script-src-elem", ran: false });
  }
});

test("on a phone nothing is cut off", async ({ device }) => {
  const phone = await device("Phone.test6");
  await phone.page.setViewportSize({ width: 360, height: 740 });
  const fits = async (what: string) => {
    const wider = await phone.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider, what).toBeLessThanOrEqual(0);
  };
  await phone.open("/register");
  await fits("register");
  await phone.register();
  await fits("log in");
  await phone.logIn();
  await fits("users");
  await phone.connect("A-rather-long-username-that-somebody-chose");
  await fits("application");
});

test("errors stand beside their field, in the server's words", async ({ device, faults }) => {
  faults.expect(/status of (401|409|422)/);
  const chrome = await device("Chrome.test6");
  await chrome.register();
  const note = (label: string) => chrome.page.getByLabel(label, { exact: true });

  await chrome.open("/register");
  await note("deviceName").fill("Chrome.test6");
  await note("email").fill("other@example.org");
  await note("password").fill("correct horse battery");
  await note("confirm password").fill("correct horse");
  await chrome.button("Sign Up").click();
  await expect(note("confirm password")).toHaveAccessibleDescription(/differ/);
  await note("confirm password").fill("correct horse battery");
  await chrome.button("Sign Up").click();
  await expect(note("deviceName")).toHaveAccessibleDescription(/taken/i);
  await note("deviceName").fill("Other.test6");
  await note("email").fill("no address");
  await chrome.button("Sign Up").click();
  await expect(note("email")).toHaveAttribute("aria-invalid", "true");
  await note("email").fill("test6@example.org");
  await note("password").fill("not the password");
  await note("confirm password").fill("not the password");
  await chrome.button("Sign Up").click();
  await expect(note("password")).toHaveAttribute("aria-invalid", "true");

  await chrome.open("/login");
  await note("deviceName").fill("Chrome.test6");
  await note("password").fill("not the password");
  await chrome.button("Log In").click();
  await expect(chrome.page.getByRole("main").getByRole("alert")).toBeVisible();
});
