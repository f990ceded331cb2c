import { type BrowserContext, expect, type Locator, type Page } from "@playwright/test";

export const password = "correct horse battery";
export const email = "test6@example.org";

/** One browser in the hands of one person, in the words the pages use. */
export class Device {
  constructor(
    readonly name: string,
    readonly context: BrowserContext,
    readonly page: Page,
    readonly origin: string,
  ) {}

  /** The same log-in in another tab. */
  async secondTab(): Promise<Device> {
    return new Device(this.name, this.context, await this.context.newPage(), this.origin);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.origin + path);
  }

  /** Step 1. */
  async register(address = email): Promise<void> {
    await this.open("/register");
    await this.page.getByLabel("deviceName", { exact: true }).fill(this.name);
    await this.page.getByLabel("email", { exact: true }).fill(address);
    await this.page.getByLabel("password", { exact: true }).fill(password);
    await this.page.getByLabel("confirm password", { exact: true }).fill(password);
    await this.button("Sign Up").click();
    await expect(this.button("Log In")).toBeVisible();
  }

  /** Step 2. */
  async logIn(): Promise<void> {
    await this.page.getByLabel("deviceName", { exact: true }).fill(this.name);
    await this.page.getByLabel("password", { exact: true }).fill(password);
    await this.button("Log In").click();
    await expect(this.heading("join to user")).toBeVisible();
  }

  /** Step 3, on the first device. */
  async connect(username: string): Promise<void> {
    await this.page.getByLabel("username", { exact: true }).fill(username);
    await this.button("connect").click();
    await this.connected();
  }

  /** Step 3, on every other device. */
  async join(username: string): Promise<void> {
    await this.page
      .getByRole("listitem")
      .filter({ hasText: username })
      .getByRole("button", { name: "join" })
      .click();
    await this.connected();
  }

  /** Steps 1 to 3. */
  async arrive(username: string, how: "connect" | "join"): Promise<void> {
    await this.register();
    await this.logIn();
    await this[how](username);
  }

  async connected(): Promise<void> {
    await expect(this.heading("Social server | settings sync demo")).toBeVisible();
    await expect(this.badge).toHaveText("connected");
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { name, exact: true });
  }

  /** Where the connection stands. */
  get badge(): Locator {
    return this.page.getByRole("status").filter({
      hasText: /^(connect|catching|offline|signed out|not joined|not up to date|disjoined|stopped)/,
    });
  }

  get username(): Locator {
    return this.page.getByLabel("Username", { exact: true });
  }

  get email(): Locator {
    return this.page.getByLabel("Email Address", { exact: true });
  }

  get terms(): Locator {
    return this.page.getByLabel("I've read the terms and conditions", { exact: true });
  }

  get period(): Locator {
    return this.page.getByRole("slider", { name: /^Billing period/ });
  }

  get salary(): Locator {
    return this.page.getByRole("slider", { name: /^Salary/ });
  }

  /** The list of who is here. */
  online(name: string): Locator {
    return this.page
      .getByRole("region", { name: "online device(s)" })
      .getByRole("listitem")
      .filter({ hasText: name })
      .filter({ hasNotText: "last seen" });
  }

  /** Two values met: the question at the field. */
  get conflict(): Locator {
    return this.page.getByRole("group", { name: "conflict" });
  }

  /** Expects all five fields to show these values. */
  async shows(values: Partial<Values>): Promise<void> {
    const { username, email, terms, period, salary } = values;
    if (username !== undefined) await expect(this.username).toHaveValue(username);
    if (email !== undefined) await expect(this.email).toHaveValue(email);
    if (terms !== undefined) await expect(this.terms).toBeChecked({ checked: terms });
    if (period !== undefined) {
      await expect(this.period).toHaveValue(String(period));
      await expect(this.page.getByText(`Billing period ${period} month`, { exact: true })).toBeVisible();
    }
    if (salary !== undefined) {
      await expect(this.salary).toHaveValue(String(salary));
      await expect(this.page.getByText(`Salary $${salary}`, { exact: true })).toBeVisible();
    }
  }

  /** Nothing waits to be saved. */
  async saved(): Promise<void> {
    await expect(this.page.getByText(/^(saving…|waiting)$/)).toHaveCount(0);
  }

  /** Presses the mouse on a slider's thumb and moves it to a share of its width; letting go is the caller's. */
  async drag(slider: Locator, share: number): Promise<void> {
    await slider.scrollIntoViewIfNeeded();
    const box = await slider.boundingBox();
    if (!box) throw new Error("the slider is not on the screen");
    const range = await slider.evaluate((input: HTMLInputElement) => {
      const [least, most] = [Number(input.min), Number(input.max)];
      return (input.valueAsNumber - least) / (most - least);
    });
    const thumb = 16; // the track ends half a thumb before each end of the box
    const at = (part: number) => box.x + thumb / 2 + (box.width - thumb) * part;
    const middle = box.y + box.height / 2;
    await this.page.mouse.move(at(range), middle);
    await this.page.mouse.down();
    await this.page.mouse.move(at((range + share) / 2), middle, { steps: 5 });
    await this.page.mouse.move(at(share), middle, { steps: 5 });
  }
}

/** The demo's five settings. */
export interface Values {
  username: string;
  email: string;
  terms: boolean;
  period: number;
  salary: number;
}

/** What the schema says before anybody has chosen anything. */
export const defaults: Values = { username: "", email: "", terms: false, period: 3, salary: 2500 };
