import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OwnDevice } from "./account-shapes";
import { ApiError, unreachable } from "./api-error";
import { auditWords } from "./audit-words";
import { readKnown, remember } from "./known-devices";
import { newDevices } from "./new-devices";
import { OwnDevices } from "./own-devices";

const now = Date.parse("2026-11-23T12:00:00Z");

function device(id: string, createdAt: string, current = false): OwnDevice {
  return { id, name: id, platform: "", createdAt, lastSeen: null, online: false, current, users: [] };
}

describe("new devices", () => {
  const self = device("self", "2026-11-23T08:00:00Z", true);
  test.each([
    ["made after this one", "2026-11-23T11:59:00Z", ["other"]],
    ["made before this one", "2026-11-23T07:00:00Z", []],
  ])("one %s", (_what, createdAt, found) => {
    expect(
      newDevices([self, device("other", createdAt)], new Set(), new Set(), now).map(({ id }) => id),
    ).toEqual(found);
  });

  test("are no news after a day", () => {
    const old = device("self", "2026-01-01T00:00:00Z", true);
    expect(newDevices([old, device("other", "2026-11-22T11:00:00Z")], new Set(), new Set(), now)).toEqual([]);
  });

  test("are no news once waved through, on any page of this browser", () => {
    remember(["other"]);
    expect(newDevices([self, device("other", "2026-11-23T11:00:00Z")], readKnown(), new Set(), now)).toEqual(
      [],
    );
  });
});

test("a known device that logs in from elsewhere is news again", () => {
  const self = device("self", "2026-11-23T08:00:00Z", true);
  const old = device("old", "2026-01-01T00:00:00Z");
  expect(newDevices([self, old], new Set(["old"]), new Set(["old", "self"]), now)).toEqual([old]);
});

describe("the account's devices", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("are read only while somebody looks, and not once per reader", async () => {
    const load = vi.fn(async () => [device("a", "")]);
    const devices = new OwnDevices(load);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(load).not.toHaveBeenCalled();
    const undos = [devices.subscribe(() => {}), devices.subscribe(() => {})];
    await vi.advanceTimersByTimeAsync(100);
    expect(load).toHaveBeenCalledOnce();
    expect(devices.getSnapshot().devices).toHaveLength(1);
    for (const undo of undos) undo();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(load).toHaveBeenCalledOnce();
    expect(devices.getSnapshot().devices).toBeNull(); // the next may be another account
  });

  test("are read at once when the connection tells of something, and remember who logged in elsewhere", async () => {
    const load = vi.fn(async () => [device("a", "")]);
    const devices = new OwnDevices(load);
    const undo = devices.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(100);
    devices.hear("login", { id: "a" });
    devices.hear("register", { id: "b" });
    await vi.advanceTimersByTimeAsync(100);
    expect(load).toHaveBeenCalledTimes(2);
    expect([...devices.getSnapshot().elsewhere]).toEqual(["a"]);
    devices.dismiss(["a"]);
    expect(devices.getSnapshot().elsewhere.size).toBe(0);
    undo();
  });

  test("stay when the server cannot be reached", async () => {
    const load = vi.fn(async () => [device("a", "")]);
    const devices = new OwnDevices(load);
    const undo = devices.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(100);
    load.mockRejectedValue(new ApiError(unreachable));
    await devices.refresh();
    expect(devices.getSnapshot()).toMatchObject({ problem: unreachable, devices: [{ id: "a" }] });
    undo();
  });
});

describe("what happened", () => {
  test.each([
    ["login", "Firefox on Linux", "logged in (Firefox on Linux)", false],
    ["join", "TestUser6", "joined TestUser6", false],
    ["login-failed", "", "was tried with a wrong password", true],
    ["revoke", "Phone", "revoked Phone", true],
    ["something-new", "x", "something-new: x", false],
  ])("%s", (event, detail, text, warn) => {
    expect(auditWords({ event, detail })).toEqual({ text, warn });
  });
});
