import type { AuditEvent } from "./account-shapes";

/** One line of the log in words, and whether it deserves a second look. */
export interface AuditWords {
  readonly text: string;
  readonly warn: boolean;
}

/**
 * What an event of the audit log was, as a sentence without its device. The words
 * are the server's; one this client does not know is shown as it is.
 */
export function auditWords({ event, detail }: Pick<AuditEvent, "event" | "detail">): AuditWords {
  const [text, warn] = phrases[event]?.(detail) ?? [detail ? `${event}: ${detail}` : event, false];
  return { text, warn };
}

type Phrase = readonly [text: string, warn: boolean];

const plain =
  (text: string) =>
  (detail: string): Phrase => [detail ? `${text} ${detail}` : text, false];
const bad =
  (text: string) =>
  (detail: string): Phrase => [detail ? `${text} ${detail}` : text, true];
const on =
  (text: string) =>
  (detail: string): Phrase => [detail ? `${text} (${detail})` : text, false];

const phrases: Readonly<Record<string, (detail: string) => Phrase>> = {
  register: on("was registered"),
  login: on("logged in"),
  "login-failed": bad("was tried with a wrong password"),
  "refresh-reuse": bad("was signed out: its log-in was copied"),
  logout: plain("logged out"),
  connect: plain("connected"),
  join: plain("joined"),
  leave: plain("left"),
  ask: plain("asked to join"),
  approve: plain("let in"),
  deny: plain("did not let in"),
  block: plain("blocked"),
  invite: plain("invited a device to"),
  accept: plain("was invited to"),
  remove: plain("removed"),
  revoke: bad("revoked"),
  rename: plain("was renamed to"),
  "password-changed": bad("changed the password"),
  "password-reset": bad("reset the password"),
};
