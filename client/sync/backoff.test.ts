// @vitest-environment node
import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff";
import { seeded } from "./testing/fake-clock";

describe("[E1] full-jitter back-off", () => {
  it("doubles its ceiling up to 20 s", () => {
    const ceilings = [0, 1, 2, 3, 4, 5, 6, 2000].map((attempt) => backoffMs(attempt, () => 1));
    expect(ceilings).toEqual([500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
  });

  it("starts at nothing, so that devices spread over the whole span", () => {
    expect(backoffMs(5, () => 0)).toBe(0);
  });

  it("spreads evenly", () => {
    const random = seeded(1);
    const waits = Array.from({ length: 2000 }, () => backoffMs(6, random));
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = waits.filter((wait) => wait >= tenth * 2000 && wait < (tenth + 1) * 2000).length;
      expect(inside).toBeGreaterThan(140);
      expect(inside).toBeLessThan(260);
    }
  });
});
