/** Joins the class names that apply; conditions are written as `cond && "class"`. */
export function classNames(...parts: (string | false | null | undefined)[]): string {
  return parts.filter(Boolean).join(" ");
}
