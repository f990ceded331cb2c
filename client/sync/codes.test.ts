// @vitest-environment node
import { describe, expect, it } from "vitest";
import { fateOf, isNotSignedIn } from "./codes";

describe("[E1] which closes come back", () => {
  const comeBack = [1001, 1006, 1011, 1012, 1013, 4000, 4002, 4003, 4004, 4005];
  it.each(comeBack)("%i comes back", (code) => {
    expect(fateOf(code)).toEqual({ comeBack: true, renew: false });
  });

  it("4001 comes back with a new token", () => {
    expect(fateOf(4001)).toEqual({ comeBack: true, renew: true });
  });

  const stays = [
    [4500, "rejected"],
    [4501, "signed-out"],
    [4503, "revoked"],
    [4504, "too-many"],
    [4506, "not-a-member"],
  ] as const;
  it.each(stays)("%i stays away: %s", (code, reason) => {
    expect(fateOf(code)).toEqual({ comeBack: false, reason });
  });

  it("a code of a later version is decided by its range", () => {
    for (const code of [4006, 4100, 4499]) expect(fateOf(code).comeBack).toBe(true);
    for (const code of [4502, 4505, 4507, 4999])
      expect(fateOf(code)).toEqual({ comeBack: false, reason: "rejected" });
  });

  it("only 4501 is about the token itself", () => {
    expect([4001, 4500, 4501, 4503].filter(isNotSignedIn)).toEqual([4501]);
  });
});
