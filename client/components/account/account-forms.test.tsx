import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api-error";
import type { Problem } from "@/lib/auth-types";
import { LoginForm } from "./login-form";
import { RegisterForm } from "./register-form";

const { router, api, authSession, query } = vi.hoisted(() => ({
  router: { push: vi.fn(), replace: vi.fn() },
  api: { register: vi.fn() },
  authSession: { signIn: vi.fn() },
  query: { text: "" },
}));
vi.mock("next/navigation", () => ({
  useRouter: () => router,
  useSearchParams: () => new URLSearchParams(query.text),
}));
vi.mock("@/lib/browser-api", () => ({ api }));
vi.mock("@/lib/auth-session", () => ({ authSession }));

function problem(part: Partial<Problem>): Problem {
  return { status: 422, code: "invalid", detail: "Not valid.", errors: [], ...part };
}

beforeEach(() => {
  for (const mock of [router.push, router.replace, api.register, authSession.signIn]) mock.mockReset();
  query.text = "";
});

describe("register", () => {
  async function fill(confirm: string) {
    const user = userEvent.setup();
    render(<RegisterForm />);
    await user.type(screen.getByLabelText("deviceName"), "Chrome.test6");
    await user.type(screen.getByLabelText("email"), "test6@example.com");
    await user.type(screen.getByLabelText("password"), "correct-horse");
    await user.type(screen.getByLabelText("confirm password"), confirm);
    await user.click(screen.getByRole("button", { name: "Sign Up" }));
  }

  test("two different passwords never reach the server", async () => {
    await fill("correct-house");
    expect(api.register).not.toHaveBeenCalled();
    const confirm = screen.getByLabelText("confirm password");
    await waitFor(() => expect(confirm).toHaveFocus());
    expect(confirm).toBeInvalid();
    await waitFor(() => expect(confirm).toHaveAccessibleDescription("The two passwords differ."));
  });

  test("the server's words stand beside their fields, and the first bad one has the focus", async () => {
    const errors = [
      { field: "password", message: "must be longer" },
      { field: "email", message: "must be an address" },
    ];
    api.register.mockRejectedValue(new ApiError(problem({ errors })));
    await fill("correct-horse");
    await waitFor(() => expect(screen.getByLabelText("email")).toHaveFocus());
    await waitFor(() =>
      expect(screen.getByLabelText("email")).toHaveAccessibleDescription("must be an address"),
    );
    await waitFor(() =>
      expect(screen.getByLabelText("password")).toHaveAccessibleDescription("must be longer"),
    );
    expect(screen.getByLabelText("deviceName")).toBeValid();
  });

  test("a taken name is an error of the name, even if the server names no field", async () => {
    api.register.mockRejectedValue(new ApiError(problem({ status: 409, detail: "That name is taken." })));
    await fill("correct-horse");
    await waitFor(() =>
      expect(screen.getByLabelText("deviceName")).toHaveAccessibleDescription("That name is taken."),
    );
  });

  // Fault B5: the log-in is filled in with the name that the server stored.
  test("the log-in has the server's spelling of the name", async () => {
    api.register.mockResolvedValue({ id: "d_1", name: "Café" });
    await fill("correct-horse");
    expect(router.push).toHaveBeenCalledWith("/login?registered=Caf%C3%A9");
  });

  test("a registered device is taken to its log-in", async () => {
    api.register.mockResolvedValue({ id: "d_1", name: "Chrome.test6" });
    await fill("correct-horse");
    expect(api.register).toHaveBeenCalledWith({
      deviceName: "Chrome.test6",
      email: "test6@example.com",
      password: "correct-horse",
    });
    expect(router.push).toHaveBeenCalledWith("/login?registered=Chrome.test6");
  });
});

describe("log in", () => {
  async function logIn() {
    const user = userEvent.setup();
    render(<LoginForm />);
    await user.type(screen.getByLabelText("password"), "correct-horse{Enter}");
  }

  test("a device just registered is filled in, and leads home", async () => {
    query.text = "registered=Chrome.test6";
    authSession.signIn.mockResolvedValue({ ok: true });
    await logIn();
    expect(screen.getByRole("status")).toHaveTextContent("Chrome.test6 is registered");
    expect(authSession.signIn).toHaveBeenCalledWith("Chrome.test6", "correct-horse");
    expect(router.replace).toHaveBeenCalledWith("/");
  });

  test("it leads back to the page that asked for it", async () => {
    query.text = `next=${encodeURIComponent("/app?user=TestUser6")}`;
    authSession.signIn.mockResolvedValue({ ok: true });
    await logIn();
    expect(router.replace).toHaveBeenCalledWith("/app?user=TestUser6");
  });

  test("a refused log-in is told at once, above the form", async () => {
    authSession.signIn.mockResolvedValue({
      ok: false,
      problem: problem({ status: 401, detail: "Wrong password." }),
    });
    await logIn();
    expect(screen.getByRole("alert")).toHaveTextContent("Wrong password.");
    expect(router.replace).not.toHaveBeenCalled();
  });

  test("a browser that keeps no cookies is told what that means", async () => {
    vi.spyOn(document, "cookie", "set").mockImplementation(() => {});
    render(<LoginForm />);
    expect(screen.getByRole("status")).toHaveTextContent("blocks cookies and storage for this site");
  });

  test("the password can be shown", async () => {
    const user = userEvent.setup();
    render(<LoginForm />);
    await user.click(screen.getByRole("button", { name: "show" }));
    expect(screen.getByLabelText("password")).toHaveAttribute("type", "text");
  });
});
