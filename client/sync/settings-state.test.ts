// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { ChangeFrame } from "./protocol";
import { parseServerFrame } from "./protocol";
import { applyChange, cursorOf, emptyState, type SettingsState } from "./settings-state";
import { change, entry } from "./testing/rig";
import type { FieldName, StoredValue } from "./types";

function frame(...parts: Parameters<typeof change>): ChangeFrame {
  const parsed = parseServerFrame(JSON.stringify(change(...parts)));
  if (parsed?.type !== "change") throw new Error("no change");
  return parsed;
}

function state(revision: number, values: Partial<Record<FieldName, StoredValue>> = {}): SettingsState {
  const applied = applyChange(emptyState, frame(0, revision, values));
  if (applied.outcome !== "applied") throw new Error("not applied");
  return applied.state;
}

const start = state(41, { "billing.salary": entry(2500, 41), "user.email": entry("a@b.c", 7) });

describe("[S2] change frames", () => {
  it("a following one moves only the keys it names", () => {
    const applied = applyChange(start, frame(41, 46, { "billing.salary": entry(3000, 43) }));
    expect(applied).toMatchObject({ outcome: "applied", replaced: false, changed: ["billing.salary"] });
    if (applied.outcome !== "applied") return;
    expect(cursorOf(applied.state)).toEqual({ epoch: "k3f9", revision: 46 });
    expect(applied.state.entries.get("billing.salary")?.value).toBe(3000);
    expect(applied.state.entries.get("user.email")?.value).toBe("a@b.c");
  });

  it("the given state stays as it is", () => {
    applyChange(start, frame(41, 46, { "billing.salary": entry(3000, 43) }));
    expect(start.entries.get("billing.salary")?.value).toBe(2500);
    expect(emptyState.entries.size).toBe(0);
  });

  it("from 0 is the whole state and replaces everything", () => {
    const applied = applyChange(start, frame(0, 50, { "user.username": entry("Zoë", 50) }));
    expect(applied).toMatchObject({ outcome: "applied", replaced: true });
    if (applied.outcome !== "applied") return;
    expect([...applied.state.entries.keys()]).toEqual(["user.username"]);
    expect([...applied.changed].sort()).toEqual(["billing.salary", "user.email", "user.username"]);
  });

  it("from 0 replaces even by a lower revision, as after a restore", () => {
    const applied = applyChange(start, frame(0, 3, { "user.email": entry("", 3) }, "zz11"));
    expect(applied.outcome === "applied" && cursorOf(applied.state)).toEqual({ epoch: "zz11", revision: 3 });
  });

  it("a whole state equal to the copy changes no field", () => {
    const values = { "billing.salary": entry(2500, 41), "user.email": entry("a@b.c", 7) };
    expect(applyChange(start, frame(0, 41, values))).toMatchObject({ outcome: "applied", changed: [] });
  });

  it("one above the copy's revision is a gap", () => {
    expect(applyChange(start, frame(42, 46, {}))).toEqual({ outcome: "gap", have: 41 });
  });

  it("one of another epoch is a gap from the beginning", () => {
    expect(applyChange(start, frame(41, 46, {}, "zz11"))).toEqual({ outcome: "gap", have: 0 });
  });

  it("one known already changes nothing", () => {
    expect(applyChange(start, frame(41, 41, {}))).toEqual({ outcome: "known" });
    expect(applyChange(start, frame(30, 40, { "billing.salary": entry(1, 35) }))).toEqual({
      outcome: "known",
    });
  });

  it("[S1] where one overlaps what is known, an older value never replaces a newer", () => {
    const applied = applyChange(
      start,
      frame(30, 45, { "billing.salary": entry(1, 35), "user.email": entry("n@b.c", 44) }),
    );
    expect(applied).toMatchObject({ outcome: "applied", changed: ["user.email"] });
    expect(applied.outcome === "applied" && applied.state.entries.get("billing.salary")?.value).toBe(2500);
  });

  it("[V3] a reset key stays as a tombstone", () => {
    const applied = applyChange(start, frame(41, 42, { "billing.salary": entry(null, 42) }));
    expect(applied.outcome === "applied" && applied.state.entries.get("billing.salary")).toMatchObject({
      value: null,
      revision: 42,
    });
  });
});

describe("[C6] the cursor", () => {
  it("is absent on first contact", () => expect(cursorOf(emptyState)).toBeNull());
  it("is epoch and revision after it", () =>
    expect(cursorOf(start)).toEqual({ epoch: "k3f9", revision: 41 }));
});
