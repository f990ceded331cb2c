import type { TokenSource } from "./connection";
import type { Environment } from "./environment";
import type { Storage } from "./kept";
import type { OpenReplaceableLink } from "./link";
import type { Defaults } from "./snapshot";
import type { Device } from "./types";

/** Told of an event, in a word of the audit log, and whose doing it was. */
export type OnNotice = (event: string, device: Device) => void;

/** Everything a client needs from outside. */
export interface SettingsClientOptions {
  readonly username: string;
  /** The device this browser is signed in as: what is kept here is kept under its id. */
  readonly device: Device;
  readonly defaults: Defaults;
  readonly tokens: TokenSource;
  readonly openLink: OpenReplaceableLink;
  readonly storage: Storage;
  readonly env: Environment;
  /** The server said that this device was revoked, and everything kept has been wiped. */
  readonly onRevoked?: () => void;
  /** Receives one message about input that could not be read; for the console. */
  readonly report?: (message: string) => void;
  /** Another device of the account did something its owner should see at once (SPEC L5). */
  readonly onNotice?: OnNotice;
}
