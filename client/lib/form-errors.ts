import type { Problem } from "./auth-types";

/** What to say beside each field, and above the form when no field is to blame. */
export interface FormErrors<Field extends string> {
  readonly fields: Readonly<Partial<Record<Field, string>>>;
  readonly form: string | null;
}

/** A form nothing is wrong with, whatever its fields are. */
export const noErrors: FormErrors<never> = { fields: {}, form: null };

/**
 * Places a problem in a form of these fields, in the server's own words. What names
 * a field the form does not have goes above the form: nothing is swallowed.
 */
export function formErrors<Field extends string>(
  problem: Problem,
  fields: readonly Field[],
): FormErrors<Field> {
  const found: Partial<Record<Field, string>> = {};
  const others: string[] = [];
  for (const { field, message } of problem.errors) {
    const own = fields.find((name) => name === field);
    if (!own) others.push(`${field}: ${message}`);
    else found[own] = found[own] ? `${found[own]}; ${message}` : message;
  }
  if (others.length > 0) return { fields: found, form: others.join(". ") };
  return { fields: found, form: Object.keys(found).length > 0 ? null : problem.detail };
}

/** The first field, in the form's order, that has an error: where the focus belongs. */
export function firstBad<Field extends string>(
  errors: FormErrors<Field>,
  fields: readonly Field[],
): Field | undefined {
  return fields.find((field) => errors.fields[field]);
}

/** Puts a problem that names no field beside the one its status is about. */
export function blame(problem: Problem, byStatus: Readonly<Record<number, string>>): Problem {
  const field = byStatus[problem.status];
  if (problem.errors.length > 0 || !field) return problem;
  return { ...problem, errors: [{ field, message: problem.detail }] };
}
