import type { AuthSession } from "../lib/auth-types";
import { browserStorage } from "./browser-storage";
import { browserEnvironment } from "./environment";
import { LiveSettings } from "./settings-client";
import type { Defaults } from "./snapshot";
import type { Device, SettingsClient } from "./types";
import { browserSocket, webSocketLinks } from "./websocket-link";

export interface OpenSettings {
  readonly username: string;
  /** The device this browser is signed in as. */
  readonly device: Device;
  /** From the schema. Give the same object each time: a new one opens a new client. */
  readonly defaults: Defaults;
  readonly auth: AuthSession;
}

/** Opens the live settings of a user with the browser's own socket, clock and storage. `stop()` ends it. */
export function openSettings({ username, device, defaults, auth }: OpenSettings): SettingsClient {
  const client = new LiveSettings({
    username,
    device,
    defaults,
    tokens: auth,
    openLink: webSocketLinks(socketUrl(username), browserSocket),
    storage: browserStorage(),
    env: browserEnvironment,
    onRevoked: auth.forget,
  });
  void client.start();
  return client;
}

function socketUrl(username: string): string {
  const url = new URL(`/api/v1/users/${encodeURIComponent(username)}/ws`, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
