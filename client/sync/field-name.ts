import type { FieldName, Json } from "./types";

/** Whether `name` is a block and a key joined by a dot. */
export function isFieldName(name: string): name is FieldName {
  const dot = name.indexOf(".");
  return dot > 0 && dot < name.length - 1;
}

/** The name of a key within its block, as `field` has it on the wire. */
export function fieldName(block: string, key: string): FieldName {
  return `${block}.${key}`;
}

/** Block and key of a field. A block's name has no dot, so the first one parts them. */
export function splitField(field: FieldName): { block: string; key: string } {
  const dot = field.indexOf(".");
  return { block: field.slice(0, dot), key: field.slice(dot + 1) };
}

/** `{block: {key: value}}`, the shape of `set` and `base` with one key. */
export function nested<T>(field: FieldName, value: T): Record<string, Record<string, T>> {
  const { block, key } = splitField(field);
  return { [block]: { [key]: value } };
}

/** The opposite of `nested`, for any number of keys. */
export function flatten<T>(blocks: Readonly<Record<string, Readonly<Record<string, T>>>>): [FieldName, T][] {
  return Object.entries(blocks).flatMap(([block, keys]) =>
    Object.entries(keys).map(([key, value]): [FieldName, T] => [fieldName(block, key), value]),
  );
}

/** Whether two JSON values are equal, the order of members aside. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  }
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]))
  );
}

// Array.isArray does not narrow read-only arrays.
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
