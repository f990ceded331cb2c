import type { ClientFrame, Cursor, ServerFrame, UnreadableFrame } from "./protocol";
import type { Transport } from "./types";

/** What a link tells its owner. After `closed`, or after its owner closed it, it tells nothing more. */
export interface LinkEvents {
  /** The way is open and `hello` is on it. */
  readonly opened: () => void;
  /** Something came: the peer lives. `frame` is null for a sign of life and for what a later version adds. */
  readonly heard: (frame: ServerFrame | UnreadableFrame | null) => void;
  /** The link ended by itself, with a close code of SPEC E1. */
  readonly closed: (code: number) => void;
}

/** Events of a link for an owner that can replace it by another one. */
export interface OwnerEvents extends LinkEvents {
  /** A better way may be open by now. `open` tries it; this link goes on until that has opened. */
  readonly offered: (open: OpenLink) => void;
}

/** One connection attempt and, if it succeeds, one connection. Never used again after it closed. */
export interface Link {
  readonly transport: Transport;
  readonly send: (frame: ClientFrame) => void;
  readonly close: () => void;
}

/** Starts a link. `token` signs it in, `resume` is where this device stands (SPEC C6). */
export type OpenLink = (start: LinkStart, events: LinkEvents) => Link;

/** As OpenLink, for an owner that can change over. */
export type OpenReplaceableLink = (start: LinkStart, events: OwnerEvents) => Link;

export interface LinkStart {
  readonly token: string;
  readonly resume: Cursor | null;
}
