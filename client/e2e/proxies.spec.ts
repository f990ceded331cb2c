import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Device } from "./device";
import { serverGone } from "./faults";
import { test as base, expect } from "./fixtures";
import { Front } from "./front";
import { ReverseProxy, readmeLines } from "./proxies";
import { Server } from "./server";

/**
 * The main job through common proxies: nginx and Caddy as processes, with
 * README's own lines, and a small one for other conditions. All tests share one
 * server, so they run one after the other.
 */
let shared: Server;
let folder: string;

interface Way {
  readonly origin: string;
  readonly close: () => Promise<void>;
}

interface Fixtures {
  /** Ways to the server that were opened; each is closed after the pages are. */
  opened: Way[];
  /** Adds a way to those. */
  through: <T extends Way>(way: Promise<T>) => Promise<T>;
}

const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures needed from it
  opened: async ({}, use) => {
    const ways: Way[] = [];
    await use(ways);
    for (const way of ways) await way.close();
  },
  through: async ({ opened }, use) =>
    use(async (way) => {
      opened.push(await way);
      return way;
    }),
  // Pages depend on the server, and so are closed before what `opened` holds.
  server: async ({ opened: _ }, use) => use(shared),
  contextOptions: { reducedMotion: "reduce", ignoreHTTPSErrors: true },
});

test.describe.configure({ mode: "default" });

test.beforeAll(async () => {
  shared = await Server.start({ TRUSTED_PROXIES: "127.0.0.1,::1" });
  folder = await mkdtemp(join(tmpdir(), "proxies-"));
});

test.afterAll(async () => {
  expect(await shared.remove(), "exit code after SIGTERM").toBe(0);
  await rm(folder, { recursive: true, force: true });
});

/** A device that has logged in through a proxy, and its second one, which joined the same user. */
async function pair(
  device: (name: string, origin?: string) => Promise<Device>,
  { origin }: Way,
  name: string,
): Promise<[Device, Device]> {
  const user = `User.${name}`;
  const both: [Device, Device] = [await device(`One.${name}`, origin), await device(`Two.${name}`, origin)];
  await both[0].register(`${name}@example.org`); // makes the account
  await Promise.all([
    both[0].logIn().then(() => both[0].connect(user)),
    both[1].register(`${name}@example.org`),
  ]);
  await both[1].logIn();
  await both[1].join(user);
  return both;
}

/** The headers that Traefik sets, before a page by https. */
function traefik({ headers }: IncomingMessage): Record<string, string> {
  return {
    "x-forwarded-proto": headers.upgrade ? "wss" : "https",
    "x-forwarded-for": "192.0.2.7:50412",
    "x-forwarded-host": String(headers.host),
    "x-forwarded-port": "443",
    "x-forwarded-server": "traefik",
    "x-real-ip": "192.0.2.7",
  };
}

/** README's lines for nginx without some of them. */
const without = (lines: string, ...names: RegExp[]) =>
  lines
    .split("\n")
    .filter((line) => !names.some((name) => name.test(line)))
    .join("\n");

const ways: Record<string, { by: "WebSocket" | "event stream"; start: () => Promise<Way> }> = {
  nginx: {
    by: "WebSocket",
    start: async () => ReverseProxy.nginx(await readmeLines("nginx", shared.port)),
  },
  // Fault C1: the ETag of what is compressed is weak, or gone.
  "nginx-gzip": {
    by: "WebSocket",
    start: async () =>
      ReverseProxy.nginx(`gzip on; gzip_types application/json;\n${await readmeLines("nginx", shared.port)}`),
  },
  // Fault C2: `localhost` is two addresses, which nginx takes in turns.
  "nginx-localhost": {
    by: "WebSocket",
    start: async () => {
      const lines = await readmeLines("nginx", shared.port);
      const servers = `server 127.0.0.1:${shared.port}; server [::1]:${shared.port};`;
      return ReverseProxy.nginx(
        lines.replace(/proxy_pass \S+;/, "proxy_pass http://both;"),
        `upstream both { ${servers} }`,
      );
    },
  },
  // The lines for upgrades are missing: no WebSocket gets through.
  "nginx-no-upgrade": {
    by: "event stream",
    start: async () =>
      ReverseProxy.nginx(without(await readmeLines("nginx", shared.port), /Upgrade/, /Connection/)),
  },
  caddy: {
    by: "WebSocket",
    start: async () => ReverseProxy.caddy(await readmeLines("Caddy", shared.port)),
  },
  // Fault C11, the half that works: WebSockets pass through `encode`.
  "caddy-encode": {
    by: "WebSocket",
    start: async () => ReverseProxy.caddy(`encode gzip zstd\n${await readmeLines("Caddy", shared.port)}`),
  },
  // Fault C3, and C5: `wss` for the scheme, a port in the client's address.
  traefik: {
    by: "WebSocket",
    start: () => Front.to(shared.port, { tls: folder, headers: traefik }),
  },
};

for (const [name, { by, start }] of Object.entries(ways)) {
  test(`all of it through ${name}`, async ({ device, through, faults }) => {
    if (by === "event stream") faults.expect(/WebSocket connection to .* failed/);
    const way = await through(start());
    const [one, two] = await pair(device, way, name);
    for (const each of [one, two]) await expect(each.page.getByText(`by ${by}`)).toBeVisible();

    await one.salary.fill("3000");
    await one.saved();
    await two.shows({ salary: 3000 });
    await two.username.fill("Ann");
    await two.saved();
    await one.shows({ username: "Ann", salary: 3000 });

    // Bound to a version by If-Match.
    await two.page.locator("summary").filter({ hasText: "History" }).click();
    await two.page.getByRole("button", { name: "restore to here" }).last().click();
    const dialog = two.page.getByRole("dialog");
    await dialog.getByRole("button", { name: "restore" }).click();
    await expect(dialog).toHaveCount(0);
    for (const each of [one, two]) await each.shows({ username: "", salary: 3000 });

    await one.page.reload();
    await one.connected();
    await one.shows({ username: "", salary: 3000 });
    await two.terms.check();
    await one.shows({ terms: true });
  });
}

for (const by of ["WebSocket", "event stream"] as const) {
  test(`a line that is cut in the middle of a change, by ${by}`, async ({ device, through, faults }) => {
    faults.expect(serverGone, /net::ERR_CONTENT_LENGTH_MISMATCH/); // the answer to a patch may be cut too
    const front = await through(Front.to(shared.port, { ignoresUpgrades: by === "event stream" }));
    const [one, two] = await pair(device, front, `cut-${by.slice(0, 3)}`);
    await expect(two.page.getByText(`by ${by}`)).toBeVisible();
    front.cutAfter(40); // the frame of a change is longer
    await one.salary.fill("4000");
    await expect.poll(() => front.cuts).toBe(1);
    await two.username.fill("Ann");
    for (const each of [one, two]) {
      await expect(each.badge).toHaveText("connected", { timeout: 30_000 });
      await each.shows({ salary: 4000, username: "Ann" });
      await each.saved();
      await expect(each.conflict).toHaveCount(0);
    }
  });
}

test("a captive portal answers everything for a while, with a page or a redirect", async ({
  device,
  through,
  faults,
}) => {
  faults.expect(serverGone);
  const front = await through(Front.to(shared.port));
  const both = await pair(device, front, "portal");
  const [one, two] = both;
  for (const [status, salary] of [
    [200, 4000],
    [302, 5000],
  ] as const) {
    front.portal = status;
    front.cut();
    await one.salary.fill(String(salary));
    await two.username.fill(`Ann ${status}`);
    for (const each of both) await expect(each.badge).toHaveText("offline with 1 waiting");
    front.portal = null;
    for (const each of both) {
      await each.page.evaluate(() => window.dispatchEvent(new Event("online"))); // as browsers do then
      await expect(each.badge).toHaveText("connected");
      await each.shows({ salary, username: `Ann ${status}` });
    }
  }
});

// Fault C11: Caddy's `encode` holds a stream back, so that without WebSockets nothing arrives.
// The page says so: offline, after as long as an opening may take.
test("no WebSocket, and streams that are held back: the page is offline", async ({
  device,
  through,
  faults,
}) => {
  faults.expect(/WebSocket connection to .* failed/);
  const lines = await readmeLines("Caddy", shared.port);
  const site = `encode gzip\n@ws header Upgrade websocket\nrespond @ws 403\n${lines}`;
  const way = await through(ReverseProxy.caddy(site));
  const one = await device("One.held", way.origin);
  await one.page.clock.install();
  await one.register("held@example.org");
  await one.logIn();
  await one.page.getByLabel("username", { exact: true }).fill("User.held");
  await one.button("connect").click();
  await expect(one.badge).toHaveText("catching up");
  await one.page.clock.fastForward(16_000);
  await expect(one.badge).toHaveText(/^offline/);
});

// Fault C11: below a path the pages have no scripts. Then they have no form either: nothing that
// is typed can go astray, and the doctor names the reason.
test("below a path there is no form", async ({ device, through, faults }) => {
  faults.expect(/\/_next\/|theme\.js|icon\.svg|MIME type/);
  const site = `handle_path /sync/* {\n${await readmeLines("Caddy", shared.port)}\n}`;
  const way = await through(ReverseProxy.caddy(site));
  const one = await device("One.path", way.origin);
  await one.open("/sync/login");
  await expect(one.heading("Log in")).toBeVisible();
  await expect(one.page.getByRole("textbox")).toHaveCount(0);
});
