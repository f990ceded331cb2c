"use client";

import { createContext, useContext } from "react";
import type { Defaults } from "@/sync";

/** The schema's defaults, for whatever has to say what a field is when nobody chose. */
export const DefaultsContext = createContext<Defaults>({});

/** The defaults of the page around; none known outside of one. */
export function useDefaultValues(): Defaults {
  return useContext(DefaultsContext);
}
