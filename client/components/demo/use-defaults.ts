"use client";

import { useEffect, useState } from "react";
import { api } from "@/lib/browser-api";
import { builtInDefaults, schemaDefaults } from "@/lib/schema-defaults";
import type { Defaults } from "@/sync";

/** The schema's defaults; null until known. Without the server the built-in ones serve. */
export function useDefaults(): Defaults | null {
  const [defaults, setDefaults] = useState<Defaults | null>(null);
  useEffect(() => {
    let gone = false;
    const take = (schema: unknown) => {
      if (!gone) setDefaults(schemaDefaults(schema) ?? builtInDefaults);
    };
    api.schema().then(take, () => take(null));
    return () => {
      gone = true;
    };
  }, []);
  return defaults;
}
