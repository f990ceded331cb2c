import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { FakeSettings } from "@/components/testing/fake-settings";
import { ApiError } from "@/lib/api-error";
import type { Change, HistoryPage, Step } from "@/lib/history-types";
import { HistoryPanel } from "./history-panel";
import { WhyButton } from "./why-button";

const { historyApi } = vi.hoisted(() => ({
  historyApi: { page: vi.fn(), undo: vi.fn(), undoField: vi.fn(), restore: vi.fn(), importFrom: vi.fn() },
}));
vi.mock("@/lib/browser-api", () => ({ historyApi }));

const at = new Date().toISOString();
const firefox = { id: "d_2", name: "Firefox.test6" };

function change(revision: number, part: Partial<Change> = {}): Change {
  return {
    field: "billing.salary",
    value: 3000,
    previous: undefined,
    revision,
    device: firefox,
    at,
    ...part,
  };
}

function answers(...pages: HistoryPage[]) {
  for (const page of pages) historyApi.page.mockResolvedValueOnce(page);
  historyApi.page.mockResolvedValue(pages.at(-1));
}

beforeEach(() => {
  for (const mock of Object.values(historyApi)) mock.mockReset();
});

async function open(settings = new FakeSettings()) {
  render(<HistoryPanel />, { wrapper: settings.wrapper });
  expect(historyApi.page).not.toHaveBeenCalled(); // closed: nobody asked
  await userEvent.click(screen.getByText("History"));
  return settings;
}

test("changes are told in their field's words, under their day, with who made them", async () => {
  answers({
    changes: [
      change(3, { value: 4200, previous: 3000 }),
      change(2),
      change(1, { field: "user.email", value: null, previous: "a@b.example" }),
    ],
    next: null,
  });
  await open();
  const list = await screen.findByRole("region", { name: "Today" });
  const [first, second, third] = within(list).getAllByRole("listitem");
  expect(first).toHaveTextContent("Salary$3,000became$4,200undoFirefox.test6, just now");
  expect(second).toHaveTextContent("$2,500 (default)became$3,000");
  expect(third).toHaveTextContent("“a@b.example”becameempty (default)");
});

test("a new revision is read at once", async () => {
  answers(
    { changes: [change(3)], next: null },
    { changes: [change(4, { value: 1 }), change(3)], next: null },
  );
  const settings = await open();
  await screen.findByText("$3,000");
  settings.show({ revision: 4 });
  expect(await screen.findByText("$1")).toBeInTheDocument();
});

test("a change made since is reported with what is there now, and not clobbered", async () => {
  answers({ changes: [change(2), change(2, { field: "billing.period", value: 6 })], next: null });
  const now = { value: 9000, revision: 3, device: "d_2", at };
  historyApi.undo.mockResolvedValueOnce({
    outcome: "changed-since",
    moved: [{ field: "billing.salary", now }],
  });
  historyApi.undo.mockResolvedValueOnce({ outcome: "done", revision: 4 });
  const device = { ...firefox, online: true, sessions: 1, lastSeen: null, focus: null, seen: 3, self: false };
  await open(new FakeSettings({ devices: [device] }));
  await userEvent.click(await screen.findByRole("button", { name: "undo" }));
  const note = await screen.findByRole("alert");
  expect(note).toHaveTextContent("Salary is now $9,000 Firefox.test6, just now");
  await userEvent.click(within(note).getByRole("button", { name: "undo the rest" }));
  expect(historyApi.undo).toHaveBeenLastCalledWith("TestUser6", 2, true);
  expect(await screen.findByText("undone")).toHaveAttribute("role", "status");
});

test("going back shows what it would do, and looks again when something came between", async () => {
  answers({ changes: [change(2), change(1)], next: null });
  const trial = {
    version: "v",
    changes: [{ field: "billing.salary" as const, value: 3000, previous: 4200 }],
  };
  const stale = new ApiError({ status: 412, code: "precondition-failed", detail: "Moved.", errors: [] });
  const step = {
    look: vi.fn<Step["look"]>(async () => trial),
    take: vi.fn<Step["take"]>(async () => undefined),
  };
  step.take.mockRejectedValueOnce(stale);
  historyApi.restore.mockReturnValue(step);
  await open(new FakeSettings({ revision: 2 }));
  const buttons = await screen.findAllByRole("button", { name: "restore to here" });
  expect(buttons).toHaveLength(1); // not at the newest: that is where everything is
  await userEvent.click(screen.getByRole("button", { name: "restore to here" }));
  const dialog = screen.getByRole("dialog");
  expect(await within(dialog).findByText("$4,200")).toBeInTheDocument();
  await userEvent.click(within(dialog).getByRole("button", { name: "restore" }));
  expect(await within(dialog).findByText(/Something changed meanwhile/)).toBeInTheDocument();
  await userEvent.click(within(dialog).getByRole("button", { name: "restore" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(step.look).toHaveBeenCalledTimes(2);
});

// Section 5 of the faults: an export of nothing can be imported, and changes nothing.
test("an import that changes nothing says so, and has nothing to take", async () => {
  answers({ changes: [], next: null });
  const step = {
    look: vi.fn<Step["look"]>(async () => ({ version: "v", changes: [] })),
    take: vi.fn<Step["take"]>(),
  };
  historyApi.importFrom.mockReturnValue(step);
  await open(new FakeSettings());
  const text = '{"format":"social-server.settings","version":1,"settings":{}}';
  const file = Object.assign(new File([text], "settings.json"), { text: async () => text }); // jsdom has none
  await userEvent.upload(screen.getByLabelText("file to import"), file);
  const dialog = await screen.findByRole("dialog", { name: "Import these settings?" });
  expect(await within(dialog).findByText(/^Nothing would change/)).toBeInTheDocument();
  expect(within(dialog).queryByRole("button", { name: "import them" })).toBeNull();
  await userEvent.click(within(dialog).getAllByRole("button", { name: "close" })[0] as HTMLElement);
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(step.take).not.toHaveBeenCalled();
});

test("filters ask for one field and one device", async () => {
  answers({ changes: [], next: null });
  const view = { value: 3, stored: null, origin: "default", saving: "saved" } as const;
  await open(new FakeSettings({ fields: { "billing.period": view } }));
  await userEvent.selectOptions(screen.getByLabelText("field"), "Billing period");
  await waitFor(() =>
    expect(historyApi.page).toHaveBeenLastCalledWith(
      "TestUser6",
      expect.objectContaining({ field: "billing.period", device: null }),
    ),
  );
  expect(screen.getByText("No such change is kept.")).toBeInTheDocument();
});

test("why is it so: the default, then who made what of it, and the last change can be taken back", async () => {
  const last = change(2, { value: 4200, previous: 3000, device: { id: "d_1", name: "Chrome.test6" } });
  answers({ changes: [last, change(1)], next: null });
  historyApi.undoField.mockResolvedValue({ outcome: "done", revision: 3 });
  const settings = new FakeSettings();
  render(<WhyButton field="billing.salary" labelId="x" />, { wrapper: settings.wrapper });
  await userEvent.click(screen.getByRole("button", { name: "why is it so" }));
  const dialog = await screen.findByRole("dialog", { name: "Why is Salary so?" });
  const stations = await within(dialog).findAllByRole("listitem");
  expect(stations.map((one) => one.textContent)).toEqual([
    "$2,500 (default)before anybody chose",
    "$3,000Firefox.test6, just now",
    "$4,200nowChrome.test6, just now",
  ]);
  await userEvent.click(within(dialog).getByRole("button", { name: "undo the last change" }));
  expect(historyApi.undoField).toHaveBeenCalledWith("TestUser6", last);
});
