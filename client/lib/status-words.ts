import type { Status, StopReason } from "@/sync/types";

/** What the badge says, in which colour, and, where it helps, one sentence more. */
export interface StatusWords {
  readonly label: string;
  readonly tone: "good" | "busy" | "warn" | "bad";
  readonly detail: string | null;
}

/** The connection in words. `waiting` is the number of edits not yet sent. */
export function statusWords(status: Status, waiting: number): StatusWords {
  switch (status.state) {
    case "connecting":
      return { label: "connecting", tone: "busy", detail: null };
    case "catching-up":
      return { label: "catching up", tone: "busy", detail: null };
    case "connected":
      return { label: "connected", tone: "good", detail: null };
    case "unreadable":
      return {
        label: "not up to date",
        tone: "bad",
        detail:
          "The server sent something this page cannot read, also when it was asked again. What you see may be old. Rejoin loads the page anew.",
      };
    case "offline":
      return {
        label: waiting > 0 ? `offline with ${waiting} waiting` : "offline",
        tone: "warn",
        detail: null,
      };
    case "stopped":
      return stopWords(status.reason);
  }
}

function stopWords(reason: StopReason): StatusWords {
  switch (reason) {
    case "signed-out":
      return {
        label: "signed out",
        tone: "bad",
        detail: "Log in again to go on. Changes not yet sent are kept.",
      };
    case "revoked":
      return {
        label: "signed out",
        tone: "bad",
        detail: "This device was revoked, and everything kept on it was removed.",
      };
    case "not-a-member":
      return { label: "not joined", tone: "bad", detail: "This device has not joined this user." };
    case "disjoined":
      return { label: "disjoined", tone: "bad", detail: "This device is no longer a member of this user." };
    case "too-many":
      return {
        label: "stopped",
        tone: "bad",
        detail: "This device has too many windows of this user open. Close some, then rejoin.",
      };
    case "rejected":
      return {
        label: "stopped",
        tone: "bad",
        detail: "The server does not accept what this page sends. Rejoin loads the page anew.",
      };
    case "closed":
      return { label: "stopped", tone: "bad", detail: null };
  }
}

/** What *rejoin* has to do first, by why the connection stopped. */
export function rejoinBy(reason: StopReason): "log-in" | "join" | "reload" | "reconnect" {
  switch (reason) {
    case "signed-out":
    case "revoked":
      return "log-in";
    case "not-a-member":
    case "disjoined":
      return "join";
    case "rejected":
      return "reload";
    case "too-many":
    case "closed":
      return "reconnect";
  }
}
