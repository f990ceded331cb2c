import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { JoinList } from "./join-list";

const { router, api } = vi.hoisted(() => ({
  router: { push: vi.fn() },
  api: { users: vi.fn(), join: vi.fn() },
}));
vi.mock("next/navigation", () => ({ useRouter: () => router }));
vi.mock("@/lib/browser-api", () => ({ api }));

const one = { username: "TestUser6", joined: true, online: 1, revision: 4 };

beforeEach(() => {
  for (const mock of [router.push, api.users, api.join]) mock.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
});

test("with nobody to join it says what to do", async () => {
  api.users.mockResolvedValue([]);
  render(<JoinList />);
  expect(await screen.findByText(/No user to join yet/)).toBeVisible();
});

test("joining a user opens it, also one joined before", async () => {
  api.users.mockResolvedValue([one]);
  api.join.mockResolvedValue(true);
  render(<JoinList />);
  const join = await screen.findByRole("button", { name: "join" });
  expect(join).toHaveAccessibleDescription("TestUser6");
  await userEvent.click(join);
  expect(api.join).toHaveBeenCalledWith("TestUser6");
  expect(router.push).toHaveBeenCalledWith("/app?user=TestUser6");
});

test("a user made on another device turns up by itself", async () => {
  vi.useFakeTimers();
  api.users.mockResolvedValueOnce([]).mockResolvedValue([one]);
  render(<JoinList />);
  await act(() => vi.advanceTimersByTimeAsync(0));
  expect(screen.queryByText("TestUser6")).toBeNull();
  await act(() => vi.advanceTimersByTimeAsync(5_000));
  expect(screen.getByText("TestUser6")).toBeVisible();
});
