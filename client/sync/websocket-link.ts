import type { Link, LinkEvents, LinkStart, OpenLink } from "./link";
import { encodeFrame, parseServerFrame, subprotocol, unreadable } from "./protocol";

/** What a socket tells. */
export interface SocketEvents {
  readonly open: () => void;
  readonly message: (data: unknown) => void;
  readonly close: (code: number) => void;
}

/** The part of a WebSocket that is used; a test gives its own. */
export interface Socket {
  readonly send: (text: string) => void;
  readonly close: (code: number) => void;
}

/** Makes a socket to `url` that offers `protocol`. It may throw. */
export type MakeSocket = (url: string, protocol: string, events: SocketEvents) => Socket;

/** `WebSocket.OPEN`. */
const openState = 1;

/** The browser's own WebSocket. Of its errors nothing is heard: a close follows each, and says more. */
export const browserSocket: MakeSocket = (url, protocol, events) => {
  const socket = new WebSocket(url, protocol);
  socket.onopen = () => events.open();
  socket.onmessage = ({ data }) => events.message(data);
  socket.onclose = ({ code }) => events.close(code);
  // A closing socket discards frames and logs an error to the console.
  const send = (text: string) => socket.readyState === openState && socket.send(text);
  return { send, close: (code) => socket.close(code) };
};

/**
 * Links over a WebSocket. The token travels in `hello`, the first frame (SPEC C4),
 * never in the URL, where it would end up in logs (SPEC C3).
 */
export function webSocketLinks(url: string, makeSocket: MakeSocket): OpenLink {
  return (start, events) => openWebSocket((told) => makeSocket(url, subprotocol, told), start, events);
}

function openWebSocket(
  makeSocket: (events: SocketEvents) => Socket,
  { token, resume }: LinkStart,
  events: LinkEvents,
): Link {
  let stage: "opening" | "open" | "over" = "opening";
  const socket = makeSocket({
    open: () => {
      if (stage !== "opening") return;
      stage = "open";
      socket.send(encodeFrame({ type: "hello", token, ...(resume && { resume }) }));
      events.opened();
    },
    message: (data) => {
      if (stage !== "open") return;
      events.heard(typeof data === "string" ? parseServerFrame(data) : unreadable(null, "it is not text"));
    },
    close: (code) => {
      if (stage === "over") return;
      stage = "over";
      events.closed(code);
    },
  });
  return {
    transport: "websocket",
    send: (frame) => {
      if (stage === "open") socket.send(encodeFrame(frame));
    },
    close: () => {
      if (stage === "over") return;
      // Over first: an event of a replaced socket must not reach its successor.
      stage = "over";
      socket.close(1000);
    },
  };
}
