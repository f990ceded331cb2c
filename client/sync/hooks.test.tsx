import { act, render, renderHook, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it } from "vitest";
import { SettingsContext } from "./settings-provider";
import { change, entry, Rig } from "./testing/rig";
import { useConnection } from "./use-connection";
import { useField } from "./use-field";
import { usePresence } from "./use-presence";
import { useSettings } from "./use-settings";

async function live() {
  const rig = new Rig();
  await rig.live({ "billing.salary": entry(3000, 5) });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <SettingsContext value={rig.client}>{children}</SettingsContext>
  );
  return { rig, wrapper };
}

describe("hooks", () => {
  it("useField shows the field and changes it", async () => {
    const { rig, wrapper } = await live();
    const { result } = renderHook(() => useField("billing.salary"), { wrapper });
    expect(result.current.view).toMatchObject({ value: 3000, origin: "stored" });
    act(() => result.current.change(3100));
    expect(result.current.view).toMatchObject({ value: 3100, saving: "sending" });
    expect(rig.patches).toHaveLength(1);
  });

  it("useField hands over every method of its field", async () => {
    const { rig, wrapper } = await live();
    const { result } = renderHook(() => useField("billing.salary"), { wrapper });
    act(() => {
      result.current.focus();
      result.current.preview(3100);
      result.current.blur();
      result.current.reset();
      result.current.resolve("theirs");
    });
    expect(rig.socket.said("focus").map(({ field }) => field)).toEqual(["billing.salary", null]);
    expect(rig.socket.said("preview")).toHaveLength(1);
    expect(rig.patches).toMatchObject([{ set: { billing: { salary: null } } }]);
  });

  it("useField draws anew only for its own field, with the same methods", async () => {
    const { rig, wrapper } = await live();
    let drawn = 0;
    const { result } = renderHook(
      () => {
        drawn++;
        return useField("billing.salary");
      },
      { wrapper },
    );
    const { change: before } = result.current;
    act(() => rig.socket.say(change(5, 6, { "user.email": entry("", 6) })));
    expect(drawn).toBe(1);
    act(() => rig.socket.say(change(6, 7, { "billing.salary": entry(1, 7) })));
    expect(drawn).toBe(2);
    expect(result.current.change).toBe(before);
  });

  it("useConnection shows the state and the waiting edits", async () => {
    const { rig, wrapper } = await live();
    const { result } = renderHook(() => useConnection(), { wrapper });
    expect(result.current).toMatchObject({ status: { state: "connected" }, waiting: 0 });
    act(() => {
      rig.socket.drop(1006);
      rig.client.change("billing.salary", 1);
    });
    expect(result.current).toMatchObject({ status: { state: "offline" }, waiting: 1 });
  });

  it("usePresence shows who is here", async () => {
    const { wrapper } = await live();
    const { result } = renderHook(() => usePresence(), { wrapper });
    expect(result.current.devices.map(({ id }) => id)).toEqual(["d_1", "d_2"]);
    expect(result.current).toMatchObject({ receipts: null, asking: [] });
  });

  it("useSettings shows the whole snapshot", async () => {
    const { rig, wrapper } = await live();
    const { result } = renderHook(() => useSettings(), { wrapper });
    expect(result.current.snapshot).toBe(rig.snapshot);
    expect(result.current.client).toBe(rig.client);
  });

  it("outside a provider say what is missing", () => {
    expect(() => renderHook(() => useSettings())).toThrow(/SettingsProvider/);
  });

  it("stop listening when their component goes", async () => {
    const { rig, wrapper } = await live();
    function Salary() {
      return <p>{String(useField("billing.salary").view?.value)}</p>;
    }
    const { unmount } = render(<Salary />, { wrapper });
    expect(screen.getByText("3000")).toBeInTheDocument();
    unmount();
    act(() => rig.client.change("billing.salary", 1));
  });
});
