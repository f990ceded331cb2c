import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Form } from "./form";

const root = resolve(import.meta.dirname, "../..");

// Fault B1: a form without a method puts what was typed into the address.
test("every form of the client is the one that sends a POST", () => {
  const sources = ["app", "components"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".tsx"))
      .map((name) => join(folder, name)),
  );
  const native = sources.filter((name) =>
    /<form\b|formAction|formMethod/.test(readFileSync(join(root, name), "utf8")),
  );
  expect(native.filter((name) => !name.endsWith(".test.tsx"))).toEqual(["components/account/form.tsx"]);

  render(<Form form={{ ref: { current: null }, onSubmit: () => {} }}>fields</Form>);
  expect(screen.getByText("fields")).toHaveProperty("method", "post");
  expect(screen.getByText("fields")).not.toHaveAttribute("action");
});
