/** What pages use of the sync core. Everything else in this folder is its own business. */

export { type OpenSettings, openSettings } from "./open-settings";
export { SettingsContext, SettingsProvider, type SettingsProviderProps } from "./settings-provider";
export type { Defaults } from "./snapshot";
export type * from "./types";
export { useSettingsClient } from "./use-client";
export { type ConnectionView, useConnection } from "./use-connection";
export { type Field, useField } from "./use-field";
export { type PresenceView, usePresence } from "./use-presence";
export { useSettings, useSnapshot } from "./use-settings";
