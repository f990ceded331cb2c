import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { OwnDevice } from "@/lib/account-shapes";
import { ApiError } from "@/lib/api-error";
import type { Problem } from "@/lib/auth-types";
import { DevicesView } from "./devices-view";
import { NewDeviceNotice } from "./new-device-notice";

const { accountApi, router, query, auth } = vi.hoisted(() => ({
  accountApi: {
    devices: vi.fn(),
    rename: vi.fn(),
    revoke: vi.fn(),
    revokeOthers: vi.fn(),
    deleteAccount: vi.fn(),
    changePassword: vi.fn(),
    audit: vi.fn(),
  },
  router: { replace: vi.fn() },
  query: { text: "" },
  auth: { state: "signed-in", device: { id: "d_1", name: "Chrome.test6" } },
}));
vi.mock("@/lib/browser-api", () => ({ accountApi }));
vi.mock("@/components/session/use-auth", () => ({ useAuth: () => auth }));
vi.mock("next/navigation", () => ({
  useRouter: () => router,
  usePathname: () => "/devices",
  useSearchParams: () => new URLSearchParams(query.text),
}));

const here: OwnDevice = {
  id: "d_1",
  name: "Chrome.test6",
  platform: "Chrome on Linux",
  createdAt: new Date(Date.now() - 7_200_000).toISOString(),
  lastSeen: null,
  online: false,
  current: true,
  users: ["TestUser6"],
};
const away: OwnDevice = {
  ...here,
  id: "d_2",
  name: "Firefox.test6",
  platform: "Firefox on Linux",
  createdAt: new Date(Date.now() - 60_000).toISOString(),
  lastSeen: new Date(Date.now() - 30_000).toISOString(),
  current: false,
  users: [],
};

function refusal(part: Partial<Problem>): ApiError {
  return new ApiError({ status: 422, code: "invalid", detail: "Not valid.", errors: [], ...part });
}

beforeEach(() => {
  for (const mock of Object.values(accountApi)) mock.mockReset();
  accountApi.devices.mockResolvedValue([away, here]);
  accountApi.audit.mockResolvedValue({ events: [] });
  for (const mock of [accountApi.revoke, accountApi.revokeOthers]) mock.mockResolvedValue(undefined);
  router.replace.mockReset();
  query.text = "";
  localStorage.clear();
});

async function row(name: string): Promise<HTMLElement> {
  render(<DevicesView />);
  const text = await screen.findByText(name);
  const item = text.closest("li");
  if (!item) throw new Error("not in the list");
  return item;
}

test("each device says what it is, whether it is here and what it joined; this one comes first", async () => {
  const second = await row("Firefox.test6");
  expect(second).toHaveTextContent("Firefox on Linux · last seen just now");
  expect(second).toHaveTextContent("joined no user · registered 1 min ago");
  const first = within(screen.getByRole("region", { name: "devices" })).getAllByRole("listitem")[0];
  expect(first).toHaveTextContent("Chrome on Linux · here now");
  expect(first).toHaveTextContent("this device");
});

test("a new name is refused beside its box, in the server's words", async () => {
  accountApi.rename.mockRejectedValueOnce(refusal({ status: 409, detail: "That name is taken." }));
  const item = await row("Firefox.test6");
  await userEvent.click(within(item).getByRole("button", { name: "rename" }));
  const box = screen.getByLabelText("new name of Firefox.test6");
  await waitFor(() => expect(box).toHaveFocus());
  await userEvent.clear(box);
  await userEvent.type(box, "Laptop{Enter}");
  expect(accountApi.rename).toHaveBeenCalledWith("d_2", "Laptop");
  await waitFor(() => expect(box).toHaveAccessibleDescription("That name is taken."));
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByLabelText("new name of Firefox.test6")).toBeNull();
});

test("revoking asks for the password again, and a wrong one keeps the dialog", async () => {
  accountApi.revoke.mockRejectedValueOnce(refusal({ status: 403, detail: "This is not the password." }));
  const item = await row("Firefox.test6");
  await userEvent.click(within(item).getByRole("button", { name: "revoke" }));
  const dialog = screen.getByRole("dialog", { name: "Revoke Firefox.test6?" });
  const box = within(dialog).getByLabelText("your password");
  await userEvent.type(box, "wrong{Enter}");
  await waitFor(() => expect(box).toHaveAccessibleDescription("This is not the password."));
  await userEvent.type(box, "right{Enter}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(accountApi.revoke).toHaveBeenLastCalledWith("d_2", "wrongright");
});

test("all others are revoked at once", async () => {
  await row("Firefox.test6");
  await userEvent.click(screen.getByRole("button", { name: "revoke all others" }));
  const dialog = screen.getByRole("dialog", { name: "Revoke all other devices?" });
  await userEvent.type(within(dialog).getByLabelText("your password"), "right{Enter}");
  expect(accountApi.revokeOthers).toHaveBeenCalledWith("right");
});

test("the account is deleted only with its password, and the log-in is next", async () => {
  accountApi.deleteAccount.mockResolvedValue(undefined);
  await row("Firefox.test6");
  await userEvent.click(screen.getByRole("button", { name: "delete the account" }));
  const dialog = screen.getByRole("dialog", { name: "Delete this account?" });
  await userEvent.type(within(dialog).getByLabelText("your password"), "right{Enter}");
  await waitFor(() => expect(router.replace).toHaveBeenCalledWith("/login"));
  expect(accountApi.deleteAccount).toHaveBeenCalledWith("right");
});

test("“not me” on another page opens the question here", async () => {
  query.text = "revoke=d_2";
  await row("Firefox.test6");
  expect(screen.getByRole("dialog", { name: "Revoke Firefox.test6?" })).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "cancel" }));
  expect(router.replace).toHaveBeenCalledWith("/devices");
});

test("the password changes only when both new ones agree", async () => {
  await row("Firefox.test6");
  await userEvent.type(screen.getByLabelText("current password"), "old one");
  await userEvent.type(screen.getByLabelText("new password"), "new one");
  await userEvent.type(screen.getByLabelText("confirm new password"), "other");
  await userEvent.click(screen.getByRole("button", { name: "change password" }));
  expect(screen.getByLabelText("confirm new password")).toHaveAccessibleDescription(
    "The two passwords differ.",
  );
  expect(accountApi.changePassword).not.toHaveBeenCalled();
});

test("what happened is told in sentences, page by page", async () => {
  const at = new Date().toISOString();
  const device = { id: "d_2", name: "Firefox.test6" };
  const event = { number: 9, event: "login", device, address: "192.0.2.7", detail: "Firefox on Linux", at };
  accountApi.audit.mockResolvedValue({ events: [event], next: 9 });
  render(<DevicesView />);
  expect(await screen.findByText("logged in (Firefox on Linux)", { exact: false })).toHaveTextContent(
    "Firefox.test6 logged in (Firefox on Linux)just now · from 192.0.2.7",
  );
  accountApi.audit.mockResolvedValue({ events: [{ ...event, number: 3, event: "revoke", detail: "Phone" }] });
  await userEvent.click(screen.getByRole("button", { name: "older" }));
  expect(accountApi.audit).toHaveBeenLastCalledWith(9);
  expect(await screen.findByText("revoked Phone", { exact: false })).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "older" })).toBeNull();
});

test("a device just added is news until it is waved through", async () => {
  render(<NewDeviceNotice />);
  const news = await screen.findByRole("complementary", { name: "new device" });
  expect(news).toHaveTextContent("Firefox.test6");
  expect(within(news).getByRole("link", { name: "Not me" })).toHaveAttribute("href", "/devices?revoke=d_2");
  await userEvent.click(within(news).getByRole("button", { name: "dismiss" }));
  expect(screen.queryByRole("complementary")).toBeNull();
});
