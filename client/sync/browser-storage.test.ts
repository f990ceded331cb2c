import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { cookiesWork, notes } from "./browser-storage";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const blocked = () => {
  throw new DOMException("Access is denied for this document.", "SecurityError");
};

it("notes outlive the page", () => {
  notes.write("a", "1");
  expect([notes.read("a"), localStorage.getItem("a"), notes.areKept()]).toEqual(["1", "1", true]);
  notes.write("a", null);
  expect([notes.read("a"), localStorage.getItem("a")]).toEqual([null, null]);
});

// Fault B7: the getter of localStorage throws where cookies are blocked.
it("where storage is blocked, notes live as long as the page", () => {
  localStorage.setItem("a", "old");
  const real = localStorage;
  vi.spyOn(window, "localStorage", "get").mockImplementation(blocked);
  expect([notes.read("a"), notes.areKept()]).toEqual([null, false]);
  notes.write("a", "1");
  expect(notes.read("a")).toBe("1");
  notes.write("a", null);
  expect(notes.read("a")).toBeNull();
  vi.spyOn(window, "localStorage", "get").mockReturnValue(real);
  notes.write("a", null);
});

it("where storage is full, the newest note counts", () => {
  notes.write("a", "old");
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("", "QuotaExceededError");
  });
  notes.write("a", "new");
  expect(notes.read("a")).toBe("new");
  vi.restoreAllMocks();
  notes.write("a", null);
  expect(notes.read("a")).toBeNull();
});

it("whether cookies are kept is found by one, which is removed again", () => {
  expect([cookiesWork(), document.cookie]).toEqual([true, ""]);
  vi.spyOn(document, "cookie", "set").mockImplementation(() => {});
  expect(cookiesWork()).toBe(false);
  vi.spyOn(document, "cookie", "get").mockImplementation(blocked);
  expect(cookiesWork()).toBe(false);
});

it("storage, cookies, locks and channels have no other door", () => {
  const root = resolve(import.meta.dirname, "..");
  const doors =
    /\b(localStorage|sessionStorage|indexedDB|document\.cookie|navigator\.locks|new BroadcastChannel)\b/;
  const used = ["app", "components", "lib", "sync"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
      .map((name) => join(folder, name))
      .filter((name) => doors.test(readFileSync(join(root, name), "utf8"))),
  );
  expect(used.toSorted()).toEqual(["sync/browser-storage.ts", "sync/tabs.ts"]);
});
