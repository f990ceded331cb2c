import type { Locator } from "@playwright/test";
import { expect, test } from "./fixtures";

const steps = 200;
/** Between two steps of a person who turns a slider with the keys. */
const pauseMs = 60;

interface Marks {
  marks: Record<string, number>;
}

/** Notes, by the value a slider shows, when it was first on the screen, in the time of both browsers' machine. */
async function watch(slider: Locator): Promise<void> {
  await slider.evaluate((input: HTMLInputElement) => {
    const marks: Record<string, number> = {};
    (window as unknown as Marks).marks = marks;
    const look = () => {
      marks[input.value] ??= performance.timeOrigin + performance.now();
      requestAnimationFrame(look);
    };
    look();
  });
}

/** Turns the slider up step by step, as the browser would for a key, and notes when. */
async function turn(slider: Locator): Promise<Record<string, number>> {
  return slider.evaluate(
    async (input: HTMLInputElement, [count, pause]: [number, number]) => {
      const begun: Record<string, number> = {};
      const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
      for (let i = 0; i < count; i++) {
        const next = String(Number(input.value) + Number(input.step || 1));
        begun[next] = performance.timeOrigin + performance.now();
        set?.call(input, next);
        input.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
      return begun;
    },
    [steps, pauseMs] as [number, number],
  );
}

test("a slider's step is seen on the other device", async ({ device }) => {
  const chrome = await device("Chrome.test6");
  const firefox = await device("Firefox.test6");
  await chrome.arrive("TestUser6", "connect");
  await firefox.arrive("TestUser6", "join");
  await watch(firefox.salary);
  const begun = await turn(chrome.salary);
  const last = Object.keys(begun).at(-1) ?? "";
  await expect(firefox.salary).toHaveValue(last);
  const seen = await firefox.page.evaluate(() => (window as unknown as Marks).marks);
  const took = Object.entries(begun)
    .filter(([value]) => seen[value] !== undefined)
    .map(([value, at]) => (seen[value] ?? 0) - at)
    .sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor((took.length - 1) * share)]?.toFixed(1);
  const figures = `p50 ${at(0.5)}, p95 ${at(0.95)}, worst ${at(1)}`;
  process.stdout.write(`${took.length} of ${steps} steps were shown, after ms: ${figures}\n`);
  expect(took.length).toBeGreaterThan(steps / 2);
});
