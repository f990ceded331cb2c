import { Cluster, type Node } from "./cluster";
import { serverGone } from "./faults";
import { test as base, expect } from "./fixtures";

const user = "TestUser6";

const test = base.extend<{ cluster: Cluster }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures needed from it
  cluster: async ({}, use, info) => {
    const cluster = await Cluster.start();
    await use(cluster);
    const code = await cluster.remove();
    if (info.status !== info.expectedStatus) await info.attach("cluster", { body: cluster.output });
    expect(code, "exit code after SIGTERM").toBe(0);
  },
});

/** What a page says while its node is gone and the balancer has not noticed yet. */
const nodeGone = [serverGone, /status of 50[234]/, / 50[234] from /];

test("two devices on two nodes; one node is killed under them", async ({ cluster, device, faults }) => {
  faults.expect(...nodeGone);
  const chrome = await device("Chrome.test6", cluster.origin);
  const firefox = await device("Firefox.test6", cluster.origin);
  await chrome.arrive(user, "connect");
  await firefox.arrive(user, "join");

  // The balancer gives a new connection to the node that has fewer.
  const count = (node: Node) => cluster.sessions(node);
  await expect(async () => {
    const each = await Promise.all(cluster.nodes.map(count));
    if (each.includes(2)) {
      await firefox.page.reload();
      await firefox.connected();
    }
    expect(each).toEqual([1, 1]);
  }).toPass();

  await chrome.username.fill("across");
  await firefox.shows({ username: "across" });
  await firefox.salary.fill("4321");
  await chrome.shows({ salary: 4321 });
  for (const one of [chrome, firefox]) {
    for (const name of ["Chrome.test6", "Firefox.test6"]) await expect(one.online(name)).toHaveCount(1);
  }
  for (const one of [chrome, firefox]) await one.saved();

  const [victim, other] = cluster.nodes;
  if (!victim || !other) throw new Error("two nodes were asked for");
  process.kill(victim.pid, "SIGKILL");
  await chrome.terms.check(); // one of the two pages has lost its node
  await firefox.period.fill("9");
  await expect.poll(() => count(other), { timeout: 30_000 }).toBe(2);
  for (const one of [chrome, firefox]) {
    await expect(one.badge).toHaveText("connected", { timeout: 30_000 });
    await one.saved();
    await one.shows({ username: "across", salary: 4321, terms: true, period: 9 });
    await expect(one.conflict).toHaveCount(0);
    for (const name of ["Chrome.test6", "Firefox.test6"]) await expect(one.online(name)).toHaveCount(1);
  }
});
