import { brokenOff } from "./codes";
import type { Undo } from "./environment";
import type { Link, LinkEvents, LinkStart, OpenLink, OpenReplaceableLink, OwnerEvents } from "./link";
import { SocketMemory, type SocketMemoryOptions } from "./socket-memory";

const openMs = 2500;
/** Of a socket that opens beside a stream, while nobody waits for it. */
const patientMs = 15_000;
const earlyMs = 5000;

export interface TransportChoice extends SocketMemoryOptions {
  readonly webSocket: OpenLink;
  readonly sse: OpenLink;
}

/**
 * Links over a WebSocket where the network lets one through, else over server-sent events.
 * A socket that does not open in 2.5 s, or breaks off twice within 5 s of opening, gives way
 * to a stream. Beside the stream it is tried again, and takes over once it is open.
 */
export function chosenLinks(choice: TransportChoice): OpenReplaceableLink {
  const memory = new SocketMemory(choice);
  return (start, events) => new ChosenLink(choice, memory, start, events);
}

const noLink: Link = { transport: "websocket", send: () => {}, close: () => {} };

/** A link that begins as a WebSocket, unless those are avoided, and may turn into a stream before it has opened. */
class ChosenLink implements Link {
  private link: Link = noLink;
  private stage: "socket" | "stream" | "over" = "socket";
  private forgetTry: Undo = () => {};
  private forgetWake: Undo = () => {};

  constructor(
    private readonly choice: TransportChoice,
    private readonly memory: SocketMemory,
    private readonly start: LinkStart,
    private readonly events: OwnerEvents,
  ) {
    if (memory.avoids()) {
      this.stream(events.closed);
      return;
    }
    let opened = false;
    const link = socketWithin(
      openMs,
      choice,
      memory,
    )(start, {
      opened: () => {
        opened = true;
        events.opened();
      },
      heard: events.heard,
      closed: (code) => (opened ? events.closed(code) : this.turn()),
    });
    if (this.stage === "socket") this.link = link;
  }

  get transport(): Link["transport"] {
    return this.link.transport;
  }

  readonly send: Link["send"] = (frame) => this.link.send(frame);

  readonly close = (): void => {
    this.stage = "over";
    this.forgetTry();
    this.forgetWake();
    this.link.close();
  };

  /** No socket: the same attempt goes on as a stream. */
  private turn(): void {
    if (this.stage === "over") return;
    let opened = false;
    this.stream(
      // If neither way opens, the server is away, and nothing it seems to say is final.
      (code) =>
        this.events.closed(opened || code === 4001 || code === 4501 || code === 4503 ? code : brokenOff),
      () => {
        opened = true;
      },
    );
  }

  private stream(closed: LinkEvents["closed"], opened: () => void = () => {}): void {
    const { choice, memory, events } = this;
    this.stage = "stream";
    this.link = choice.sse(this.start, {
      opened: () => {
        opened();
        if (memory.waitsFor() === 0) memory.postpone();
        this.forgetTry = choice.env.after(memory.waitsFor(), this.trySocket);
        this.forgetWake = choice.env.onWake(() => {
          if (!memory.avoids()) this.trySocket();
        });
        events.opened();
      },
      heard: events.heard,
      closed: (code) => {
        this.close();
        closed(code);
      },
    });
  }

  private readonly trySocket = (): void => {
    const { choice, memory } = this;
    this.forgetTry();
    memory.postpone();
    this.forgetTry = choice.env.after(memory.waitsFor(), this.trySocket);
    this.events.offered(socketWithin(patientMs, choice, memory));
  };
}

/** Sockets that count as closed when they have not opened after `withinMs`. */
function socketWithin(withinMs: number, { webSocket, env }: TransportChoice, memory: SocketMemory): OpenLink {
  return (start, events) => {
    let link = noLink;
    let openedAt: number | null = null;
    const giveUp = env.after(withinMs, () => {
      link.close();
      events.closed(brokenOff);
    });
    try {
      link = webSocket(start, {
        opened: () => {
          giveUp();
          openedAt = env.now();
          memory.opened();
          events.opened();
        },
        heard: events.heard,
        closed: (code) => {
          giveUp();
          // A close with a code of its own proves that frames come through.
          if (openedAt !== null) memory.ended(code === brokenOff && env.now() - openedAt < earlyMs);
          events.closed(code);
        },
      });
    } catch {
      giveUp();
      events.closed(brokenOff); // a browser may refuse a socket by throwing
    }
    return {
      transport: "websocket",
      send: (frame) => link.send(frame),
      close: () => {
        giveUp();
        link.close();
      },
    };
  };
}
