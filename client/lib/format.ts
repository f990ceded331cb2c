/** "3 months", for a screen reader that announces a slider's value. */
export function monthsText(count: number): string {
  return count === 1 ? "1 month" : `${count} months`;
}

/** "$2,500": always in dollars and English grouping, whatever the browser's locale. */
export function dollarsText(amount: number): string {
  return `$${amount.toLocaleString("en-US")}`;
}

/** A setting's value as a person reads it: `""` and `null` have words of their own. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "default";
  if (value === "") return "empty";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "string") return `“${value}”`;
  if (typeof value !== "number") return jsonText(value);
  // Without the option a fraction is cut to three digits.
  return `${isRounded(value) ? "≈ " : ""}${value.toLocaleString("en-US", { maximumFractionDigits: 20 })}`;
}

/** A value as JSON, with "≈" before it where a number in it is not exactly what is stored. */
export function jsonText(value: unknown): string {
  return `${isRounded(value) ? "≈ " : ""}${JSON.stringify(value)}`;
}

/** Whether a number in `value` is so large that a browser holds only the nearest double (2⁵³ and above, RFC 7493). */
export function isRounded(value: unknown): boolean {
  if (typeof value === "number") return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === "object" && value !== null && Object.values(value).some(isRounded);
}
