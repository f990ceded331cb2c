// @vitest-environment node
import { describe, expect, it } from "vitest";
import { Pace } from "./pace";
import { FakeClock } from "./testing/fake-clock";

describe("[E4] the pace of frames", () => {
  it("lets 30 frames go at once and then makes the next wait for the first to be a second old", async () => {
    const clock = new FakeClock();
    const pace = new Pace(clock.now, 30);
    for (let i = 0; i < 30; i++) {
      expect(pace.waitMs()).toBe(0);
      pace.count();
    }
    expect(pace.waitMs()).toBe(1000);
    await clock.advance(400);
    expect(pace.waitMs()).toBe(600);
    await clock.advance(600);
    expect(pace.waitMs()).toBe(0);
  });

  it("never passes the limit in any second", async () => {
    const clock = new FakeClock();
    const pace = new Pace(clock.now, 5);
    const sent: number[] = [];
    for (let i = 0; i < 400; i++) {
      if (pace.waitMs() === 0) {
        pace.count();
        sent.push(clock.now());
      }
      await clock.advance(13);
    }
    for (const at of sent)
      expect(sent.filter((other) => other >= at && other < at + 1000).length).toBeLessThanOrEqual(5);
    expect(sent.length).toBeGreaterThan(20);
  });

  it("takes the server's limit", () => {
    const pace = new Pace(() => 0, 30);
    pace.setLimit(1);
    pace.count();
    expect(pace.waitMs()).toBe(1000);
  });

  it("is not held up by a clock set back", () => {
    let now = 1_000_000;
    const pace = new Pace(() => now, 1);
    pace.count();
    now = 0;
    expect(pace.waitMs()).toBe(0);
  });
});
