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
  return typeof value === "number" ? value.toLocaleString("en-US") : JSON.stringify(value);
}
