import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { translate } from "@/components/testing/translate";
import type { DevicePresence, Status } from "@/sync/types";
import { DeviceList } from "./device-list";
import { StatusBadge } from "./status-badge";

test.each<[string, Status, string | null]>([
  ["connecting", { state: "connecting" }, null],
  ["catching up", { state: "catching-up" }, null],
  ["connected", { state: "connected", transport: "websocket" }, null],
  ["offline with 3 waiting", { state: "offline", retryAt: Date.now() + 5_000 }, "try now"],
  ["signed out", { state: "stopped", reason: "signed-out" }, "rejoin"],
])("the badge says %s in a live region", async (words, status, action) => {
  const rejoin = vi.fn();
  render(<StatusBadge status={status} waiting={3} onRejoin={rejoin} />);
  expect(screen.getByRole("status")).toHaveTextContent(new RegExp(`^${words}$`));
  if (action === null) {
    expect(screen.queryByRole("button")).toBeNull();
    return;
  }
  await userEvent.click(screen.getByRole("button", { name: action }));
  expect(rejoin).toHaveBeenCalledOnce();
});

test.each([
  ["websocket", "by WebSocket"],
  ["sse", "by event stream"],
] as const)("it says when changes come by %s", (transport, words) => {
  render(<StatusBadge status={{ state: "connected", transport }} waiting={0} onRejoin={() => {}} />);
  expect(screen.getByText(words)).toBeInTheDocument();
});

test("the seconds to the next try are not read out", () => {
  render(
    <StatusBadge
      status={{ state: "offline", retryAt: Date.now() + 5_000 }}
      waiting={0}
      onRejoin={() => {}}
    />,
  );
  expect(screen.getByText(/next try in/)).toBeInTheDocument();
  expect(screen.getByRole("status")).not.toHaveTextContent("next try");
});

const here: DevicePresence = {
  id: "d_1",
  name: "Chrome.test6",
  online: true,
  sessions: 2,
  lastSeen: null,
  focus: "billing.salary",
  seen: 4,
  self: true,
};
const away: DevicePresence = {
  ...here,
  id: "d_2",
  name: "Phone",
  online: false,
  sessions: 0,
  lastSeen: new Date(Date.now() - 7_300_000).toISOString(),
  focus: null,
  self: false,
};

test("the list says who is here, which one this is, and when the others were", () => {
  render(<DeviceList devices={[away, here]} live />);
  const [first, second] = screen.getAllByRole("listitem");
  expect(first).toHaveTextContent("Chrome.test6editing Salary · 2 windowsthis device");
  expect(second).toHaveTextContent("Phonelast seen 2 h ago");
});

test("without a connection nobody is claimed to be online", () => {
  render(<DeviceList devices={[here]} live={false} />);
  expect(screen.getByText("was online")).toBeInTheDocument();
});

// A page translated by the browser went on saying "connected" while it was offline.
test("a translated page says what is so", () => {
  const states: [Status, string][] = [
    [{ state: "connected", transport: "websocket" }, "connected"],
    [{ state: "offline", retryAt: Date.now() + 5_000 }, "offline with 2 waiting"],
    [{ state: "connected", transport: "sse" }, "connected"],
    [{ state: "stopped", reason: "revoked" }, "signed out"],
    [{ state: "catching-up" }, "catching up"],
  ];
  const page = (status: Status, devices: DevicePresence[]) => (
    <>
      <StatusBadge status={status} waiting={2} onRejoin={() => {}} />
      <DeviceList devices={devices} live={status.state === "connected"} />
    </>
  );
  const { container, rerender } = render(page({ state: "connecting" }, [here, away]));
  for (const [status, words] of states) {
    translate(container);
    const sessions = status.state === "connected" ? 1 : 3;
    rerender(page(status, [{ ...here, sessions, focus: null }]));
    expect(screen.getByRole("status")).toHaveTextContent(new RegExp(`^${words}$`));
    const live = status.state === "connected";
    expect(screen.getByRole("region")).toHaveTextContent(live ? /1 of 1/ : /not known now/);
    expect(screen.getByRole("listitem")).toHaveTextContent(live ? /online/ : /was online/);
  }
});
