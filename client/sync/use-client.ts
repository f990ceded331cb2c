import { useContext } from "react";
import { SettingsContext } from "./settings-provider";
import type { SettingsClient } from "./types";

/** The client itself, for what no other hook offers. Never changes below one provider's client. */
export function useSettingsClient(): SettingsClient {
  const client = useContext(SettingsContext);
  if (!client) throw new Error("useSettingsClient needs a <SettingsProvider> above it");
  return client;
}
