import { expect, test } from "vitest";
import type { Problem } from "./auth-types";
import { blame, firstBad, formErrors } from "./form-errors";

const fields = ["deviceName", "email", "password"] as const;

function problem(part: Partial<Problem>): Problem {
  return { status: 422, code: "invalid", detail: "Not valid.", errors: [], ...part };
}

test("each message goes beside its field, and the first field in the form's order is the first bad one", () => {
  const errors = formErrors(
    problem({
      errors: [
        { field: "password", message: "too short" },
        { field: "email", message: "not an address" },
        { field: "password", message: "too common" },
      ],
    }),
    fields,
  );
  expect(errors).toEqual({
    fields: { password: "too short; too common", email: "not an address" },
    form: null,
  });
  expect(firstBad(errors, fields)).toBe("email");
});

test("a problem without fields is told above the form", () => {
  const errors = formErrors(problem({ detail: "Too many tries." }), fields);
  expect(errors).toEqual({ fields: {}, form: "Too many tries." });
  expect(firstBad(errors, fields)).toBeUndefined();
});

test("a field the form does not have is not swallowed", () => {
  expect(formErrors(problem({ errors: [{ field: "plan", message: "unknown" }] }), fields).form).toBe(
    "plan: unknown",
  );
});

test("a conflict that names no field is about the one its status says", () => {
  const taken = problem({ status: 409, detail: "That name is taken." });
  expect(blame(taken, { 409: "deviceName" }).errors).toEqual([
    { field: "deviceName", message: "That name is taken." },
  ]);
  expect(blame(problem({ status: 500 }), { 409: "deviceName" }).errors).toEqual([]);
});
