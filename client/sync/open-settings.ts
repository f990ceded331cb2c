import type { AuthSession } from "../lib/auth-types";
import { browserStorage, notes } from "./browser-storage";
import type { OnNotice } from "./client-options";
import { browserEnvironment } from "./environment";
import type { OpenReplaceableLink } from "./link";
import { LiveSettings } from "./settings-client";
import { SharedSettings } from "./shared-settings";
import type { Defaults } from "./snapshot";
import { sseLinks } from "./sse-link";
import { browserTabs } from "./tabs";
import { chosenLinks } from "./transport-choice";
import type { Device, SettingsClient } from "./types";
import { browserSocket, webSocketLinks } from "./websocket-link";
import { urlPart } from "./well-formed";

export interface OpenSettings {
  readonly username: string;
  /** The device this browser is signed in as. */
  readonly device: Device;
  /** From the schema. Give the same object each time: a new one opens a new client. */
  readonly defaults: Defaults;
  readonly auth: AuthSession;
  /** Heard in the tab that holds the connection. Give the same function each time. */
  readonly onNotice?: OnNotice | undefined;
}

/**
 * Opens the live settings of a user with the browser's own network, clock and storage.
 * Tabs of one browser share one connection, where the browser can do that. `stop()` ends it.
 */
export function openSettings({ username, device, defaults, auth, onNotice }: OpenSettings): SettingsClient {
  const env = browserEnvironment;
  const openLink = browserLinks(username);
  const storage = browserStorage();
  const makeLive = () =>
    new LiveSettings({
      username,
      device,
      defaults,
      tokens: auth,
      openLink,
      storage,
      env,
      onRevoked: auth.forget,
      report,
      ...(onNotice && { onNotice }),
    });
  const tabs = browserTabs(`social-hub:${device.id}:${username}`, env.newId());
  if (!tabs) {
    const live = makeLive();
    void live.start();
    return live;
  }
  const shared = new SharedSettings({ tabs, env, makeLive, report });
  shared.start();
  return shared;
}

function report(message: string): void {
  // biome-ignore lint/suspicious/noConsole: for whoever looks into it; the status has words for the person
  console.error(message);
}

const noSocketsKey = "social-no-sockets-until";

function browserLinks(username: string): OpenReplaceableLink {
  const base = `/api/v1/users/${urlPart(username)}`;
  const socket = new URL(`${base}/ws`, window.location.href);
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  return chosenLinks({
    webSocket: webSocketLinks(socket.href, browserSocket),
    sse: sseLinks({
      events: `${base}/events`,
      settings: `${base}/settings`,
      send: (url, init) => fetch(url, init),
    }),
    env: browserEnvironment,
    recall: () => Number(notes.read(noSocketsKey)) || null,
    remember: (until) => notes.write(noSocketsKey, until > 0 ? String(until) : null),
  });
}
