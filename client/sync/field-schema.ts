import { isFieldName } from "./field-name";
import type { FieldName } from "./types";
import * as z from "./zod";

/** Parses the name of a field. */
export const fieldSchema = z.custom<FieldName>((name) => typeof name === "string" && isFieldName(name));
