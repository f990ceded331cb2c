import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtInDefaults, schemaDefaults } from "./schema-defaults";

test("the built-in defaults are those of the server's demo schema", () => {
  const file = join(import.meta.dirname, "../../server/internal/settings/demo-schema.json");
  expect(schemaDefaults(JSON.parse(readFileSync(file, "utf8")))).toEqual(builtInDefaults);
});

test.each([null, 3, {}, { properties: { user: { properties: 3 } } }])("%j is no schema", (schema) => {
  expect(schemaDefaults(schema)).toBeNull();
});
