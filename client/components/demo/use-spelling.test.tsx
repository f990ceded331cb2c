import { renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { FakeSettings } from "@/components/testing/fake-settings";
import type { SettingsSnapshot } from "@/sync/types";
import { useSpelling } from "./use-spelling";

const { router, query } = vi.hoisted(() => ({ router: { replace: vi.fn() }, query: { user: "" } }));
vi.mock("next/navigation", () => ({
  useRouter: () => router,
  useSearchParams: () => new URLSearchParams({ user: query.user }),
}));

beforeEach(() => router.replace.mockReset());

function open(user: string, part: Partial<SettingsSnapshot> = {}) {
  query.user = user;
  renderHook(useSpelling, { wrapper: new FakeSettings(part).wrapper });
}

test.each(["testuser6", "TESTUSER6", " TestUser6"])(
  "%s becomes the server's spelling in the address",
  (user) => {
    open(user);
    expect(router.replace.mock.calls).toEqual([["/app?user=TestUser6"]]);
  },
);

test.each<[string, string, Partial<SettingsSnapshot>]>([
  ["is that already", "TestUser6", {}],
  ["is another user's, about to be opened", "Somebody", {}],
  ["is of a page with changes to send", "testuser6", { waiting: 1 }],
  ["is of a page without a connection", "testuser6", { status: { state: "offline", retryAt: 0 } }],
])("it stays where it %s", (_, user, part) => {
  open(user, part);
  expect(router.replace).not.toHaveBeenCalled();
});
