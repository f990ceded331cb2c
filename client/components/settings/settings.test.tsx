import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";
import { savableEmail } from "@/lib/demo-fields";
import { dollarsText, monthsText } from "@/lib/format";
import type { FieldView, StoredValue } from "@/sync/types";
import { CheckSetting } from "./check-setting";
import { SliderSetting } from "./slider-setting";
import { TextSetting } from "./text-setting";

const at = new Date().toISOString();

function actions() {
  return {
    change: vi.fn(),
    compose: vi.fn(),
    settle: vi.fn(),
    preview: vi.fn(),
    reset: vi.fn(),
    focus: vi.fn(),
    resolve: vi.fn(),
  };
}

function stored(value: StoredValue["value"], revision: number, device: string): FieldView {
  return { value, stored: { value, revision, device, at }, origin: "stored", saving: "saved" };
}

/** A value Firefox has just given, as the core shows it. */
function byFirefox(value: StoredValue["value"], revision: number): FieldView {
  const changedBy = { device: "d_2", deviceName: "Firefox.test6", at, revision };
  return { ...stored(value, revision, "d_2"), changedBy };
}

function local(value: string, part: Partial<FieldView> = {}): FieldView {
  return { value, stored: null, origin: "local", saving: "sending", ...part };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a text", () => {
  function text(view: FieldView, savable?: (text: string) => boolean) {
    const does = actions();
    const element = (next: FieldView) => (
      <TextSetting
        field="user.username"
        view={next}
        selfId="d_1"
        actions={does}
        label="Username"
        {...(savable && { savable })}
      />
    );
    const { rerender } = render(element(view));
    return {
      does,
      box: screen.getByLabelText("Username"),
      show: (next: FieldView) => rerender(element(next)),
    };
  }

  test("follows the others while nobody types in it", async () => {
    const { box, show } = text(stored("old", 1, "d_1"));
    await userEvent.click(box);
    show(byFirefox("new", 2));
    expect(box).toHaveValue("new");
    expect(screen.getByText("Firefox.test6, just now")).toBeVisible();
  });

  test("is never replaced under the cursor: the other value waits beside it", async () => {
    const { box, show, does } = text(stored("old", 1, "d_1"));
    await userEvent.type(box, "er");
    expect(does.change).toHaveBeenLastCalledWith("user.username", "older", { typing: true });
    show(byFirefox("new", 3));
    expect(box).toHaveValue("older");
    expect(screen.getByRole("status")).toHaveTextContent("Firefox.test6: “new”");

    await userEvent.click(screen.getByRole("button", { name: "use it" }));
    expect(box).toHaveValue("new");
    expect(box).toHaveFocus();
    expect(screen.queryByRole("button", { name: "use it" })).toBeNull();
  });

  test("shows the others' value once it is left", async () => {
    const { box, show } = text(stored("old", 1, "d_1"));
    await userEvent.type(box, "er");
    show(byFirefox("new", 3));
    await userEvent.tab();
    expect(box).toHaveValue("new");
  });

  test("follows the others again when it is saved and has rested", () => {
    vi.useFakeTimers();
    const { box, show } = text(stored("old", 1, "d_1"));
    fireEvent.change(box, { target: { value: "older" } });
    show(stored("older", 2, "d_1"));
    act(() => vi.advanceTimersByTime(6_000));
    show(byFirefox("new", 3));
    expect(box).toHaveValue("new");
  });

  test("half an e-mail is shown to the others, not stored, and says so, even when left", async () => {
    const { box, does } = text(stored("", 0, "d_1"), savableEmail);
    await userEvent.type(box, "zoe@ex");
    expect(does.change).not.toHaveBeenCalled();
    expect(does.preview).toHaveBeenLastCalledWith("user.username", "zoe@ex", { save: false });
    expect(box).toBeInvalid();
    expect(box).toHaveAccessibleDescription(/not saved yet/);
    await userEvent.tab();
    expect(box).toHaveValue("zoe@ex");
    await userEvent.type(box, "ample.com");
    expect(does.change).toHaveBeenLastCalledWith("user.username", "zoe@example.com", { typing: true });
  });

  test("an own stored value is no news while half an e-mail stands in the box", async () => {
    const { box, show } = text(stored("a@b.example", 1, "d_2"), savableEmail);
    await userEvent.clear(box);
    await userEvent.type(box, "z");
    show(stored("a@b.example", 1, "d_2"));
    expect(screen.queryByRole("button", { name: "use it" })).toBeNull();
  });

  // Fault A4: syllables under composition were stored half-finished.
  test("[D4] under composition goes to nobody, says so, and goes whole once it is done", () => {
    const { box, does } = text(stored("", 0, "d_1"));
    fireEvent.compositionStart(box);
    for (const syllable of ["ㅎ", "하", "한"]) fireEvent.change(box, { target: { value: syllable } });
    expect(box).toHaveValue("한");
    expect(does.change).not.toHaveBeenCalled();
    expect(does.preview).not.toHaveBeenCalled();
    expect(does.compose).toHaveBeenCalledWith("user.username");
    expect(screen.getByText("saving…")).toBeVisible();
    fireEvent.compositionEnd(box);
    expect(does.change.mock.calls).toEqual([["user.username", "한", { typing: true }]]);
  });

  test("[D4] a composition that was given up sends nothing", () => {
    const { box, does } = text(stored("", 0, "d_1"));
    fireEvent.compositionStart(box);
    fireEvent.compositionEnd(box);
    expect(does.change).not.toHaveBeenCalled();
  });

  test("[D4] half an e-mail under composition is not left behind", async () => {
    const { box, does } = text(stored("", 0, "d_1"), savableEmail);
    await userEvent.click(box);
    fireEvent.compositionStart(box);
    fireEvent.change(box, { target: { value: "zoe" } });
    fireEvent.blur(box);
    expect(box).toHaveValue("zoe");
    expect(does.preview).toHaveBeenLastCalledWith("user.username", "zoe", { save: false });
  });

  test.each([
    ["Enter", (box: HTMLElement) => fireEvent.keyDown(box, { key: "Enter" })],
    ["leaving the box", (box: HTMLElement) => fireEvent.blur(box)],
    ["the page going", () => fireEvent(window, new Event("pagehide"))],
  ])("[D4] %s settles what was typed", async (_, settle) => {
    const { box, does } = text(stored("", 0, "d_1"));
    await userEvent.type(box, "Ann");
    expect(does.settle).not.toHaveBeenCalled();
    settle(box);
    expect(does.settle).toHaveBeenCalledWith("user.username");
  });

  test("[D4] Enter that ends a syllable settles nothing", () => {
    const { box, does } = text(stored("", 0, "d_1"));
    fireEvent.compositionStart(box);
    fireEvent.change(box, { target: { value: "한" } });
    fireEvent.keyDown(box, { key: "Enter" });
    expect(does.settle).not.toHaveBeenCalled();
  });

  test("[D4] what is being composed when the page goes is kept as it stands", () => {
    const { box, does } = text(stored("", 0, "d_1"));
    fireEvent.compositionStart(box);
    fireEvent.change(box, { target: { value: "Ann" } });
    fireEvent(window, new Event("pagehide"));
    expect(does.change).toHaveBeenLastCalledWith("user.username", "Ann", { typing: true });
    expect(does.settle).toHaveBeenCalledWith("user.username");
  });

  // Fault of section 5: "another device" was this one.
  test.each([
    ["d_2", "Firefox.test6", "Firefox.test6: “new”"],
    ["d_3", null, "another device: “new”"],
    ["d_1", "Chrome.test6", "another window of this device: “new”"],
  ])("a text typed by %s meanwhile has its name beside it", async (device, deviceName, words) => {
    const { box, show } = text(stored("old", 1, "d_1"));
    await userEvent.type(box, "er");
    show({ ...byFirefox("new", 3), origin: "preview", previewBy: { device, deviceName } });
    expect(screen.getByRole("status")).toHaveTextContent(words);
  });

  test("says saving, and saved only after the acknowledgement", () => {
    const { show } = text(stored("old", 1, "d_1"));
    expect(screen.queryByText("saved")).toBeNull();
    show(local("older"));
    expect(screen.getByText("saving…")).toBeVisible();
    show(local("older", { saving: "waiting" }));
    expect(screen.getByText("waiting")).toBeVisible();
    show(stored("older", 2, "d_1"));
    expect(screen.getByText("saved")).toBeVisible();
  });

  test("a refusal keeps the text, says why, and can be undone", async () => {
    const { box, does } = text(local("x", { saving: "refused", error: "must be at most 64 characters" }));
    expect(box).toHaveValue("x");
    expect(box).toBeInvalid();
    expect(screen.getByRole("alert")).toHaveTextContent("must be at most 64 characters");
    await userEvent.click(screen.getByRole("button", { name: "undo" }));
    expect(does.resolve).toHaveBeenCalledWith("user.username", "theirs");
  });

  test("tells the others that it is being edited", async () => {
    const { box, does } = text(stored("", 0, "d_1"));
    await userEvent.click(box);
    expect(does.focus).toHaveBeenLastCalledWith("user.username");
    await userEvent.tab();
    expect(does.focus).toHaveBeenLastCalledWith(null);
  });

  test("offers the default only when it is not shown", async () => {
    const { show, does } = text({ value: "", stored: null, origin: "default", saving: "saved" });
    expect(screen.queryByRole("button", { name: "reset" })).toBeNull();
    show(stored("old", 1, "d_1"));
    await userEvent.click(screen.getByRole("button", { name: "reset" }));
    expect(does.reset).toHaveBeenCalledWith("user.username");
  });
});

describe("a slider", () => {
  function salary(view: FieldView) {
    const does = actions();
    render(
      <SliderSetting
        field="billing.salary"
        view={view}
        selfId="d_1"
        actions={does}
        label={(value) => `Salary $${value}`}
        valueText={dollarsText}
        min={0}
        max={10_000}
      />,
    );
    return { does, slider: screen.getByRole("slider") };
  }

  test("has its value in its name and in words", () => {
    const { slider } = salary(stored(2500, 1, "d_1"));
    expect(slider).toHaveAccessibleName("Salary $2500");
    expect(slider).toHaveAttribute("aria-valuetext", "$2,500");
    expect(monthsText(3)).toBe("3 months");
  });

  test("previews every step of a drag and saves when let go", () => {
    const { slider, does } = salary(stored(2500, 1, "d_1"));
    fireEvent.input(slider, { target: { value: "2600" } });
    expect(does.preview).toHaveBeenCalledWith("billing.salary", 2600);
    expect(does.change).not.toHaveBeenCalled();
  });

  test("the browser's change event saves", () => {
    const { slider, does } = salary(stored(3000, 1, "d_1"));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
    expect(does.change).toHaveBeenCalledWith("billing.salary", 3000);
  });

  test("an edit made offline that met a newer one is put to the person, both with who and when", async () => {
    const mineAt = Date.now() - 5 * 60_000;
    const conflict = { mine: 4500, mineAt, theirs: 7100, device: "d_2", deviceName: "Firefox.test6", at };
    const { does } = salary({ ...byFirefox(4500, 5), origin: "local", saving: "waiting", conflict });
    const chip = screen.getByRole("group", { name: "conflict" });
    expect(chip).toHaveTextContent("Salary was changed on two devices");
    expect(chip).toHaveTextContent("$7,100Firefox.test6, just now");
    expect(chip).toHaveTextContent("$4,500this device, 5 min ago");
    await userEvent.click(screen.getByRole("button", { name: "keep mine" }));
    expect(does.resolve).toHaveBeenLastCalledWith("billing.salary", "mine");
    await userEvent.click(screen.getByRole("button", { name: "keep theirs" }));
    expect(does.resolve).toHaveBeenLastCalledWith("billing.salary", "theirs");
  });
});

// Fault of section 5: "changed on two devices" when it was one device in two windows.
test("two values of this device are not said to be of two devices", () => {
  const conflict = {
    mine: "a",
    mineAt: Date.now(),
    theirs: "b",
    device: "d_1",
    deviceName: "Chrome.test6",
    at,
  };
  const view = { ...stored("b", 5, "d_1"), origin: "local", saving: "waiting", conflict } as const;
  render(<TextSetting field="user.username" view={view} selfId="d_1" actions={actions()} label="Username" />);
  const chip = screen.getByRole("group", { name: "conflict" });
  expect(chip).toHaveTextContent("Username was changed twice on this device.");
  expect(chip).toHaveTextContent("“b”this device, just now");
  expect(chip).not.toHaveTextContent("two devices");
});

test("a box ticks by its label, and unticking is a choice too", async () => {
  const does = actions();
  const label = "I've read the terms and conditions";
  const view = stored(true, 1, "d_1");
  render(<CheckSetting field="user.acceptedTerms" view={view} selfId="d_1" actions={does} label={label} />);
  expect(screen.getByRole("checkbox", { name: label })).toBeChecked();
  await userEvent.click(screen.getByText(label));
  expect(does.change).toHaveBeenCalledWith("user.acceptedTerms", false);
});
