import { createContext, type ReactNode, useEffect, useState } from "react";
import { type OpenSettings, openSettings } from "./open-settings";
import type { SettingsClient } from "./types";

/** The client of the nearest <SettingsProvider>; a test can provide its own. */
export const SettingsContext = createContext<SettingsClient | null>(null);

export interface SettingsProviderProps extends OpenSettings {
  /** Shown until there is a client: while the page is prerendered, and for one frame after. */
  readonly fallback?: ReactNode;
  readonly children: ReactNode;
}

/** Opens one client for the pages below and stops it when they go. */
export function SettingsProvider(props: SettingsProviderProps): ReactNode {
  const { username, device, defaults, auth, onNotice, fallback = null, children } = props;
  const [client, setClient] = useState<SettingsClient | null>(null);
  const { id, name } = device;
  useEffect(() => {
    const opened = openSettings({ username, device: { id, name }, defaults, auth, onNotice });
    setClient(opened);
    return () => {
      opened.stop();
      setClient(null);
    };
  }, [username, id, name, defaults, auth, onNotice]);
  if (!client) return fallback;
  return <SettingsContext value={client}>{children}</SettingsContext>;
}
