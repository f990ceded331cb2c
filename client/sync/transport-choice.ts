import { brokenOff } from "./codes";
import type { Environment, Undo } from "./environment";
import type { Link, LinkEvents, LinkStart, OpenLink } from "./link";

const openMs = 2500;
const earlyMs = 5000;
const rememberMs = 24 * 60 * 60 * 1000;

export interface TransportChoice {
  readonly webSocket: OpenLink;
  readonly sse: OpenLink;
  readonly env: Environment;
  /** Until when (ms) sockets are known not to work here; kept over reloads, no secret. */
  readonly recall: () => number | null;
  readonly remember: (until: number) => void;
}

/**
 * Links over a WebSocket where the network lets one through, else over server-sent events.
 * That sockets do not work is believed when one does not open in 2.5 s, or breaks off
 * twice within 5 s of opening, and remembered for a day once the other way has worked.
 */
export function chosenLinks(choice: TransportChoice): OpenLink {
  let earlyDeaths = 0;
  const avoid = (): boolean => {
    const until = choice.recall();
    // A date far off was not written by this clock.
    return until !== null && until > choice.env.now() && until <= choice.env.now() + rememberMs;
  };
  const onDeath = (early: boolean): void => {
    earlyDeaths = early ? earlyDeaths + 1 : 0;
  };
  const onSse = (): void => {
    earlyDeaths = 0;
    if (!avoid()) choice.remember(choice.env.now() + rememberMs);
  };
  return (start, events) => {
    if (!avoid() && earlyDeaths < 2) return new EitherLink(choice, start, events, onDeath, onSse);
    const opened = () => {
      onSse();
      events.opened();
    };
    return choice.sse(start, { ...events, opened });
  };
}

const noLink: Link = { transport: "websocket", send: () => {}, close: () => {} };

/** A link that begins as a WebSocket and may turn into a stream before it has opened. */
class EitherLink implements Link {
  private link: Link;
  private stage: "socket-opening" | "socket" | "sse" | "over" = "socket-opening";
  private openedAt = 0;
  private readonly forgetTimer: Undo;

  constructor(
    private readonly choice: TransportChoice,
    private readonly start: LinkStart,
    private readonly events: LinkEvents,
    private readonly onDeath: (early: boolean) => void,
    private readonly onSse: () => void,
  ) {
    this.forgetTimer = choice.env.after(openMs, () => this.turn());
    this.link = noLink;
    try {
      this.link = choice.webSocket(start, {
        opened: () => {
          this.stage = "socket";
          this.openedAt = choice.env.now();
          this.forgetTimer();
          events.opened();
        },
        heard: events.heard,
        closed: (code) => this.socketClosed(code),
      });
    } catch {
      this.turn(); // a browser may refuse a socket by throwing
    }
  }

  get transport(): Link["transport"] {
    return this.link.transport;
  }

  readonly send: Link["send"] = (frame) => this.link.send(frame);

  readonly close = (): void => {
    this.stage = "over";
    this.forgetTimer();
    this.link.close();
  };

  private socketClosed(code: number): void {
    if (this.stage === "socket-opening") {
      this.turn();
      return;
    }
    // A close with a code of its own proves that frames come through.
    this.onDeath(code === brokenOff && this.choice.env.now() - this.openedAt < earlyMs);
    this.events.closed(code);
  }

  /** No socket: the same attempt goes on as a stream. */
  private turn(): void {
    if (this.stage !== "socket-opening") return;
    this.stage = "sse";
    this.forgetTimer();
    this.link.close();
    let opened = false;
    this.link = this.choice.sse(this.start, {
      opened: () => {
        opened = true;
        this.onSse();
        this.events.opened();
      },
      heard: this.events.heard,
      // If neither way opens, the server is away, and nothing it seems to say is final.
      closed: (code) =>
        this.events.closed(opened || code === 4001 || code === 4501 || code === 4503 ? code : brokenOff),
    });
  }
}
