import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ResetForm } from "./reset-form";

const { accountApi } = vi.hoisted(() => ({ accountApi: { resetPassword: vi.fn(async () => {}) } }));
vi.mock("@/lib/browser-api", () => ({ accountApi }));

// Fault B5: the form removes nothing from a code or a password that the server would not.
test("code and password go to the server as they were typed", async () => {
  render(<ResetForm />);
  await userEvent.type(screen.getByLabelText("code"), " abcd–efgh ");
  await userEvent.type(screen.getByLabelText("new password"), " tide over ");
  await userEvent.type(screen.getByLabelText("confirm new password"), " tide over ");
  await userEvent.click(screen.getByRole("button", { name: "Set password" }));
  expect(accountApi.resetPassword).toHaveBeenCalledWith(" abcd–efgh ", " tide over ");
  expect(await screen.findByText(/The password is set/)).toBeInTheDocument();
});
