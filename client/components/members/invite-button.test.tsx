import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { FakeSettings } from "@/components/testing/fake-settings";
import { InviteButton } from "./invite-button";

vi.mock("./invite-dialog", () => {
  throw new Error("ChunkLoadError");
});

// A chunk that is missing after an update took the whole page with it.
test("a part that cannot be loaded leaves the page as it is", async () => {
  render(<InviteButton />, { wrapper: new FakeSettings().wrapper });
  await userEvent.click(screen.getByRole("button", { name: "invite" }));
  const dialog = await screen.findByRole("dialog", { name: "This cannot be shown now" });
  expect(within(dialog).getByRole("button", { name: "reload the page" })).toBeInTheDocument();
  await userEvent.click(within(dialog).getByRole("button", { name: "close" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(screen.getByRole("button", { name: "invite" })).toBeInTheDocument();
});
