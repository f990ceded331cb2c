import type { FieldName } from "./types";

const utf8 = new TextEncoder();

/** FNV-1a, 32 bits, over the UTF-8 bytes of `text`. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * The seal of a copy (SPEC S7). It is a sum, so the order of keys does not matter;
 * two copies at one revision that differ in any key's revision have different seals.
 */
export function sealOf(entries: ReadonlyMap<FieldName, { readonly revision: number }>): string {
  let sum = 0;
  for (const [field, entry] of entries) sum = (sum + fnv1a(`${field}:${entry.revision}`)) >>> 0;
  return sum.toString(16).padStart(8, "0");
}
