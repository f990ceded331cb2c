import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { FakeSettings } from "@/components/testing/fake-settings";
import { AskForm } from "@/components/users/ask-form";
import { InvitationForm } from "@/components/users/invitation-form";
import { ApiError } from "@/lib/api-error";
import type { AskStatus } from "@/lib/members-api";
import type { DevicePresence } from "@/sync/types";
import { AskCards } from "./ask-cards";
import { InviteDialog } from "./invite-dialog";
import { Members } from "./members";

const { membersApi, accountApi, api, router, query } = vi.hoisted(() => ({
  membersApi: {
    ask: vi.fn(),
    awaitAnswer: vi.fn(),
    asks: vi.fn(),
    approve: vi.fn(),
    deny: vi.fn(),
    invite: vi.fn(),
    accept: vi.fn(),
    remove: vi.fn(),
  },
  accountApi: { devices: vi.fn(async () => []) },
  api: { users: vi.fn() },
  router: { push: vi.fn() },
  query: { text: "" },
}));
vi.mock("@/lib/browser-api", () => ({ api, accountApi, membersApi }));
vi.mock("next/navigation", () => ({
  useRouter: () => router,
  useSearchParams: () => new URLSearchParams(query.text),
}));

const username = "TestUser6";
const asked = { username, waits: { username, id: "q_1", code: "42", expiresIn: 600 } };
const anna = { id: "q_1", device: { id: "d_9", name: "Phone" }, email: "anna@…", expires: "" };

beforeEach(() => {
  for (const mock of [...Object.values(membersApi), api.users, router.push]) mock.mockReset();
  for (const mock of [membersApi.approve, membersApi.deny, membersApi.remove])
    mock.mockResolvedValue(undefined);
  membersApi.asks.mockResolvedValue([]);
  query.text = "";
});

test("letting in takes the number; a wrong one is told beside its box", async () => {
  const errors = [{ field: "code", message: "This is not the number on the other device." }];
  membersApi.asks.mockResolvedValue([anna]);
  membersApi.approve.mockRejectedValueOnce(
    new ApiError({ status: 422, code: "invalid", detail: "", errors }),
  );
  render(<AskCards />, { wrapper: new FakeSettings().wrapper });
  const card = await screen.findByRole("region", { name: "wants to join" });
  expect(card).toHaveTextContent("Phone of anna@… wants to join TestUser6.");
  const box = within(card).getByLabelText("Type the number it shows");
  await userEvent.type(box, "11{Enter}");
  await waitFor(() => expect(box).toHaveAccessibleDescription("This is not the number on the other device."));
  membersApi.asks.mockResolvedValue([]);
  await userEvent.clear(box);
  await userEvent.type(box, "42{Enter}");
  expect(membersApi.approve).toHaveBeenLastCalledWith("TestUser6", "q_1", "42");
  await waitFor(() => expect(screen.queryByRole("region")).toBeNull());
});

// Fault B5: spaces around the number do no harm, and are the server's to remove.
test("the number goes to the server as it was typed", async () => {
  membersApi.asks.mockResolvedValue([anna]);
  render(<AskCards />, { wrapper: new FakeSettings().wrapper });
  await userEvent.type(await screen.findByLabelText("Type the number it shows"), " 4 2 {Enter}");
  expect(membersApi.approve).toHaveBeenLastCalledWith("TestUser6", "q_1", " 4 2 ");
});

test.each([
  ["deny", false],
  ["deny and block", true],
])("%s needs no number", async (name, block) => {
  membersApi.asks.mockResolvedValueOnce([anna]);
  render(<AskCards />, { wrapper: new FakeSettings().wrapper });
  await userEvent.click(await screen.findByRole("button", { name }));
  expect(membersApi.deny).toHaveBeenCalledWith("TestUser6", "q_1", block);
});

test("who asks is read when the connection tells of it, and not while there is none", async () => {
  const settings = new FakeSettings({ status: { state: "offline", retryAt: 0 } });
  render(<AskCards />, { wrapper: settings.wrapper });
  expect(membersApi.asks).not.toHaveBeenCalled();
  settings.show({ status: { state: "connected", transport: "sse" } });
  await waitFor(() => expect(membersApi.asks).toHaveBeenCalledTimes(1));
  membersApi.asks.mockResolvedValue([anna]);
  settings.show({ asking: [anna.device] });
  expect(await screen.findByRole("region", { name: "wants to join" })).toBeInTheDocument();
});

test("an invitation is a code to type and one to scan", async () => {
  membersApi.invite.mockResolvedValue({ code: "BCDF-GHJK", expiresIn: 600, url: "/join?code=BCDF-GHJK" });
  render(<InviteDialog onClose={() => {}} />, { wrapper: new FakeSettings().wrapper });
  expect(await screen.findByText("BCDF-GHJK")).toBeInTheDocument();
  expect(screen.getByTitle("QR code of the invitation")).toBeInTheDocument();
  expect(screen.getByText("10:00 left")).toBeInTheDocument();
});

test("a scanned code is filled in, and a bad one is told beside its box", async () => {
  query.text = "code=BCDF-GHJK";
  const errors = [{ field: "code", message: "This code is not valid, or not any more." }];
  membersApi.accept.mockRejectedValueOnce(new ApiError({ status: 422, code: "invalid", detail: "", errors }));
  membersApi.accept.mockResolvedValueOnce("TestUser6");
  render(<InvitationForm />);
  const box = screen.getByLabelText("invitation code");
  expect(box).toHaveValue("BCDF-GHJK");
  await userEvent.click(screen.getByRole("button", { name: "use the code" }));
  await waitFor(() => expect(box).toHaveAccessibleDescription("This code is not valid, or not any more."));
  await userEvent.click(screen.getByRole("button", { name: "use the code" }));
  expect(router.push).toHaveBeenCalledWith("/app?user=TestUser6");
});

test("whoever asks shows the number, and goes in when let in", async () => {
  let tell: (status: AskStatus) => void = () => {};
  membersApi.ask.mockResolvedValue(asked);
  membersApi.awaitAnswer.mockImplementation(
    () =>
      new Promise<AskStatus>((resolve) => {
        tell = resolve;
      }),
  );
  render(<AskForm />);
  await userEvent.type(screen.getByLabelText("name of the user"), "TestUser6{Enter}");
  expect(await screen.findByText("42")).toBeInTheDocument();
  expect(screen.getByRole("status")).not.toHaveTextContent("left"); // the seconds are not read out
  tell("approved");
  await waitFor(() => expect(router.push).toHaveBeenCalledWith("/app?user=TestUser6"));
});

test("a no is told, and one can ask again", async () => {
  membersApi.ask.mockResolvedValue(asked);
  membersApi.awaitAnswer.mockResolvedValue("denied");
  render(<AskForm />);
  await userEvent.type(screen.getByLabelText("name of the user"), "TestUser6{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("TestUser6 did not let this device in.");
  expect(screen.getByRole("button", { name: "ask to join" })).toBeInTheDocument();
});

test.each([
  [true, 1],
  [false, 0],
])("an owner (%s) removes members, after one more question", async (owner, buttons) => {
  const phone: DevicePresence = {
    id: "d_9",
    name: "Phone",
    online: true,
    sessions: 1,
    lastSeen: null,
    focus: null,
    seen: 0,
    self: false,
  };
  api.users.mockResolvedValue([{ username: "TestUser6", joined: true, online: 1, revision: 1, owner }]);
  render(<Members devices={[phone]} live />, { wrapper: new FakeSettings().wrapper });
  await waitFor(() => expect(api.users).toHaveBeenCalled());
  await waitFor(() =>
    expect(screen.queryAllByRole("button", { name: "remove Phone" })).toHaveLength(buttons),
  );
  if (!owner) return;
  await userEvent.click(screen.getByRole("button", { name: "remove Phone" }));
  await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "remove" }));
  expect(membersApi.remove).toHaveBeenCalledWith("TestUser6", "d_9");
});
