import type { FieldName } from "@/sync/types";

const titles: Readonly<Record<string, string>> = {
  "user.username": "Username",
  "user.email": "Email Address",
  "user.acceptedTerms": "terms and conditions",
  "billing.period": "Billing period",
  "billing.salary": "Salary",
};

/** What the page calls a field; a field of another schema is called what the wire calls it. */
export function fieldTitle(field: FieldName): string {
  return titles[field] ?? field;
}

/**
 * Whether an e-mail can be saved: the demo schema's own pattern. The server has the
 * last word; this only keeps half-typed addresses from being sent.
 */
export function savableEmail(text: string): boolean {
  return text === "" || /^[^@\s]+@[^@\s]+\.[^@\s.]+$/.test(text);
}
