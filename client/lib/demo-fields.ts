import type { FieldName, Json } from "@/sync/types";
import { dollarsText, monthsText, valueText } from "./format";

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

const numbers: Readonly<Record<string, (value: number) => string>> = {
  "billing.period": monthsText,
  "billing.salary": dollarsText,
};

/**
 * A value in its field's own words: "$3,000", "3 months". A field that was reset,
 * or never set, shows `fallback`, its default, and says so.
 */
export function fieldValueText(field: FieldName, value: Json | undefined, fallback?: Json): string {
  if (value === null || value === undefined) {
    return fallback === undefined ? "default" : `${fieldValueText(field, fallback)} (default)`;
  }
  const words = numbers[field];
  return words && typeof value === "number" ? words(value) : valueText(value);
}

/**
 * Whether an e-mail can be saved: the demo schema's own pattern. The server has the
 * last word; this only keeps half-typed addresses from being sent.
 */
export function savableEmail(text: string): boolean {
  return text === "" || /^[^@\s]+@[^@\s]+\.[^@\s.]+$/.test(text);
}
