import { email as accountEmail, type Device } from "./device";
import { serverGone } from "./faults";
import { expect, test } from "./fixtures";
import type { Line } from "./line";
import { Script } from "./script";

const user = "TestUser6";

/** What the text boxes are given besides letters. */
const pieces = [
  "a",
  "Zoë ",
  "e\u0301",
  "😀",
  "👩‍👩‍👧",
  "\u200d",
  "שלום",
  "\u202eabc\u202c",
  "\0",
  "\ud83d",
  "\ude00",
  '"\\',
];

/** Numbers from 0 up to 1 that only depend on `seed`. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** Puts text into the box that has the focus, as a paste or another program does. */
async function insert({ page }: Device, text: string): Promise<void> {
  // Not as an argument: half an emoji does not survive the way into the page.
  const units = [...Array(text.length).keys()].map((i) => text.charCodeAt(i));
  await page.evaluate(
    (codes) => document.execCommand("insertText", false, String.fromCharCode(...codes)),
    units,
  );
}

/** Types letter by letter. By the page's own clock, since a machine that stands still would look like a person at rest. */
async function typeEvenly({ page }: Device, text: string): Promise<void> {
  await page.evaluate(async (letters) => {
    for (const letter of letters) {
      document.execCommand("insertText", false, letter);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, text);
}

/** Composes in the box that has the focus, as an input method does; `done` runs before the last syllable is taken. */
async function compose(device: Device, steps: string[], done?: () => Promise<void>): Promise<void> {
  const session = await device.context.newCDPSession(device.page);
  for (const text of steps) {
    await session.send("Input.imeSetComposition", {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    });
  }
  await done?.();
  await session.send("Input.insertText", { text: steps.at(-1) ?? "" });
  await session.detach();
}

/** What the five fields show. */
async function shown(device: Device): Promise<unknown[]> {
  const { username, email, period, salary, terms } = device;
  return [
    ...(await Promise.all([username, email, period, salary].map((box) => box.inputValue()))),
    await terms.isChecked(),
  ];
}

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

async function script(server: Parameters<typeof Script.logIn>[0]): Promise<Script> {
  const one = await Script.logIn(server, "Script.test6", accountEmail);
  await one.call("POST", `/users/${user}/join`);
  return one;
}

async function changes(one: Script): Promise<{ revision: number; value: unknown }[]> {
  const answer: unknown = await (await one.call("GET", `/users/${user}/history`)).json();
  return (answer as { changes: { revision: number; value: unknown }[] }).changes;
}

// Fault A2: the page said that it was too old, and neither reload nor correction helped.
test("[D3] half an emoji is sent as what it is shown as, and locks nobody out", async ({ server }) => {
  await chrome.username.focus();
  await insert(chrome, "cat \ud83d");
  await chrome.terms.check();
  await chrome.email.focus();
  await chrome.saved();
  await firefox.shows({ username: "cat \ufffd", terms: true });
  await expect(chrome.badge).toHaveText("connected");
  await chrome.page.reload();
  await chrome.connected();
  await chrome.shows({ username: "cat \ufffd", terms: true });
  expect(JSON.stringify(await (await script(server)).settings(user))).toContain("cat \ufffd");
});

// Fault A4: 18 letters were 18 changes, and syllables were stored half-finished.
test("[D4] a word is one change, and a syllable is nobody's until it is done", async ({ server }) => {
  const one = await script(server);
  await chrome.username.focus();
  await typeEvenly(chrome, "Grace Hopper wrote");
  await firefox.shows({ username: "Grace Hopper wrote" });
  await chrome.saved();
  expect(await changes(one)).toHaveLength(1);

  await compose(chrome, ["ㅎ", "하", "한"], async () => {
    await expect(chrome.username).toHaveValue("Grace Hopper wrote한");
    await expect(chrome.page.getByText("saving…").first()).toBeVisible();
    await firefox.terms.check();
    await chrome.shows({ terms: true }); // so long it took, and nothing of it has come
    expect(await firefox.username.inputValue()).toBe("Grace Hopper wrote");
  });
  await chrome.page.keyboard.press("Enter");
  await firefox.shows({ username: "Grace Hopper wrote한" });
  await chrome.saved();
  expect((await changes(one)).map(({ value }) => value)).toEqual([
    "Grace Hopper wrote한",
    true,
    "Grace Hopper wrote",
  ]);
});

test("[D4] a tab that is closed right after the last key loses none of it", async () => {
  await chrome.username.focus();
  await chrome.page.keyboard.type("to the last key");
  await chrome.page.close();
  await firefox.shows({ username: "to the last key" });
  await firefox.saved();
  await firefox.page.reload();
  await firefox.shows({ username: "to the last key" });
});

test("[D4] nor does one that is closed while it is offline", async () => {
  await chrome.context.setOffline(true);
  await line.cut();
  await expect(chrome.badge).toHaveText(/^offline/);
  await chrome.username.focus();
  await chrome.page.keyboard.type("to the last key");
  await expect(chrome.badge).toHaveText("offline with 1 waiting");
  await chrome.page.close();
  await line.mend();
  await chrome.context.setOffline(false);
  const tab = await chrome.secondTab();
  await tab.open(`/app?user=${user}`);
  await firefox.shows({ username: "to the last key" });
});

// Fault A3: a fresh page showed all defaults and said that it was connected.
test("[D1] what cannot be read is never shown as a default, and what mends it is", async ({ faults }) => {
  faults.expect(/A frame of the server could not be read/);
  await chrome.salary.fill("4000");
  await chrome.saved();
  await firefox.open("/devices"); // away from the database, which is to go
  await firefox.page.evaluate(() => {
    indexedDB.deleteDatabase("settings-sync");
  });
  await firefox.page.routeWebSocket(/\/ws$/, (socket) => {
    const far = socket.connectToServer();
    far.onMessage((text) => socket.send(String(text).replaceAll('"value":4000', '"value":1e400')));
  });
  await firefox.open(`/app?user=${user}`);
  await expect(firefox.badge).toHaveText("not up to date");
  await expect(firefox.page.getByText("The server sent something this page cannot read")).toBeVisible();
  await expect(firefox.username).toHaveCount(0);
  await chrome.salary.fill("4001");
  await firefox.connected();
  await firefox.shows({ salary: 4001 });
});

test("[D1] [D2] [D3] [D4] whatever is typed over a bad line, both end equal", async () => {
  const chance = chances(6);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T;
  for (let step = 0; step < 30; step++) {
    const device = chance() < 0.6 ? chrome : firefox;
    const box = pick([device.username, device.username, device.email]);
    const what = chance();
    if (what < 0.3) {
      await box.focus();
      await insert(device, Array.from({ length: 1 + chance() * 6 }, () => pick(pieces)).join(""));
    } else if (what < 0.4) {
      await box.focus();
      await insert(device, pick(pieces).repeat(5000).slice(0, 5000));
    } else if (what < 0.55) {
      await box.focus();
      for (let keys = chance() * 4; keys > 0; keys--) await device.page.keyboard.press("Backspace");
    } else if (what < 0.65) {
      await box.focus();
      await compose(device, ["ㅎ", "하", "한"]);
    } else if (what < 0.7) await box.fill("");
    else if (what < 0.78) await device.terms.setChecked(chance() < 0.5);
    else if (what < 0.86) await device.salary.fill(String(Math.floor(chance() * 10_000)));
    else if (what < 0.92) await device.period.fill(String(1 + Math.floor(chance() * 12)));
    else {
      await line.cut();
      await line.mend();
    }
  }
  for (const device of [chrome, firefox]) {
    await device.email.fill("zoe@example.org");
    await device.email.blur();
    await expect(device.badge).toHaveText("connected", { timeout: 30_000 });
    while (await device.conflict.first().isVisible())
      await device.conflict.first().getByRole("button", { name: "keep mine" }).click();
    await device.saved();
  }
  await expect(async () => expect(await shown(firefox)).toEqual(await shown(chrome))).toPass({
    timeout: 30_000,
  });
  for (const device of [chrome, firefox]) {
    await expect(device.button("undo")).toHaveCount(0); // nothing was refused
    const before = await shown(device);
    await device.page.reload();
    await device.connected();
    await expect.poll(() => shown(device)).toEqual(before);
  }
});
