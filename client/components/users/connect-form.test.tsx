import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api-error";
import { ConnectForm } from "./connect-form";

const { router, api } = vi.hoisted(() => ({ router: { push: vi.fn() }, api: { connect: vi.fn() } }));
vi.mock("next/navigation", () => ({ useRouter: () => router }));
vi.mock("@/lib/browser-api", () => ({ api }));

beforeEach(() => {
  router.push.mockReset();
  api.connect.mockReset();
});

async function connect(username: string) {
  const user = userEvent.setup();
  render(<ConnectForm />);
  await user.type(screen.getByLabelText("username"), username);
  await user.click(screen.getByRole("button", { name: "connect" }));
}

test("a connected user is opened", async () => {
  api.connect.mockResolvedValue("Test User");
  await connect("Test User");
  expect(router.push).toHaveBeenCalledWith("/app?user=Test%20User");
});

// Fault B5: a phone's keyboard adds a space; the server removes it, and its spelling is the one to go on with.
test("a user is opened under the name that the server gave it", async () => {
  api.connect.mockResolvedValue("Zoë");
  await connect("Zoe\u0308 ");
  expect(api.connect).toHaveBeenCalledWith("Zoe\u0308 ");
  expect(router.push).toHaveBeenCalledWith("/app?user=Zo%C3%AB");
});

test("a taken name is told beside the field, which keeps the focus", async () => {
  const taken = { status: 409, code: "conflict", detail: "That username is taken.", errors: [] };
  api.connect.mockRejectedValue(new ApiError(taken));
  await connect("TestUser6");
  await waitFor(() =>
    expect(screen.getByLabelText("username")).toHaveAccessibleDescription("That username is taken."),
  );
  await waitFor(() => expect(screen.getByLabelText("username")).toHaveFocus());
  expect(router.push).not.toHaveBeenCalled();
});
