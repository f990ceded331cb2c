import type { Defaults } from "@/sync";
import { fieldName } from "@/sync/field-name";
import * as z from "@/sync/zod";

/** Defaults of the built-in schema, for a page that starts while the server is away. */
export const builtInDefaults: Defaults = {
  "user.username": "",
  "user.email": "",
  "user.acceptedTerms": false,
  "billing.period": 3,
  "billing.salary": 2500,
};

const schemaShape = z.object({
  properties: z.record(
    z.string(),
    z.object({ properties: z.record(z.string(), z.object({ default: z.optional(z.json()) })) }),
  ),
});

/** The default of every field of a settings schema; null when it cannot be read as one. */
export function schemaDefaults(schema: unknown): Defaults | null {
  const parsed = schemaShape.safeParse(schema);
  if (!parsed.success) return null;
  const defaults: Record<string, Defaults[keyof Defaults]> = {};
  for (const [block, { properties }] of Object.entries(parsed.data.properties)) {
    for (const [key, { default: value }] of Object.entries(properties)) {
      if (value !== undefined) defaults[fieldName(block, key)] = value;
    }
  }
  return defaults;
}
