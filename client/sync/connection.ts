import { backoffMs, settledMs } from "./backoff";
import { brokenOff } from "./codes";
import { type ConnectionEvent, type ConnectionState, firstState, transition } from "./connection-state";
import type { Environment, Undo } from "./environment";
import type { Link, LinkEvents, OpenLink } from "./link";
import { Pace } from "./pace";
import type { ClientFrame, Cursor, ServerFrame } from "./protocol";
import type { StopReason } from "./types";

/** Where access tokens come from. Null: signed out. A rejection: could not be asked. */
export interface TokenSource {
  readonly accessToken: () => Promise<{ readonly token: string } | null>;
  readonly renew: () => Promise<{ readonly token: string } | null>;
}

export interface ConnectionOptions {
  readonly env: Environment;
  readonly tokens: TokenSource;
  readonly openLink: OpenLink;
  /** Asked anew for each attempt. */
  readonly resume: () => Cursor | null;
  /** Every frame of the current link, in order. */
  readonly onFrame: (frame: ServerFrame) => void;
  /** After each change of the state. */
  readonly onState: (state: ConnectionState) => void;
}

// The server pings after 25 s without a frame from us (SPEC S6), but says nothing
// while we keep talking: after 35 s of its silence we ask, after 10 s more we leave.
const silenceMs = 35_000;
const answerMs = 10_000;
const openMs = 15_000;
const authRetryMs = 5_000;

/**
 * Keeps one link alive: opens it, watches it, replaces it (SPEC C4, S6, A1, E1, E5).
 * It knows nothing of settings; what to do next is decided by `transition`.
 */
export class Connection {
  private state: ConnectionState = firstState;
  private link: Link | null = null;
  /** Grows with every attempt: what an older one still has to say is not heard. */
  private attempt = 0;
  private wasMember = false;
  private bye: { code: number; retryIn: number } | null = null;
  private readonly timers = new Map<"retry" | "alive" | "settled" | "auth", Undo>();
  private readonly pace: Pace;
  private forgetWake: Undo = () => {};

  constructor(private readonly options: ConnectionOptions) {
    this.pace = new Pace(options.env.now, 30);
  }

  readonly getState = (): ConnectionState => this.state;

  readonly start = (): void => {
    this.forgetWake = this.options.env.onWake(this.wake);
    this.options.onState(this.state);
    void this.connect();
  };

  /** Ends the connection for good, or until `reconnect`. */
  readonly stop = (reason: StopReason): void => {
    this.forgetWake();
    this.dispatch({ type: "stop", reason });
  };

  readonly reconnect = (): void => {
    if (this.state.state === "stopped") {
      this.forgetWake();
      this.forgetWake = this.options.env.onWake(this.wake);
    }
    this.dispatch({ type: "reconnect" });
  };

  /** Puts a frame on the link, if there is one. */
  readonly send = (frame: ClientFrame): void => {
    if (!this.link) return;
    this.pace.count();
    this.link.send(frame);
  };

  /** How long a frame that can wait should wait (SPEC E4). */
  readonly waitMs = (): number => this.pace.waitMs();

  private readonly dispatch = (event: ConnectionEvent): void => {
    const before = this.state;
    this.state = transition(before, event);
    if (this.state === before) return;
    this.enter(before);
    this.options.onState(this.state);
  };

  private enter(before: ConnectionState): void {
    const { state } = this;
    switch (state.state) {
      case "connecting":
        void this.connect();
        return;
      case "catching-up":
        return;
      case "connected":
        if (before.state !== "connected")
          this.timer("settled", settledMs, () => this.dispatch({ type: "settled" }));
        return;
      case "offline":
        this.drop();
        this.timer("retry", Math.max(0, state.retryAt - this.options.env.now()), () =>
          this.dispatch({ type: "retry" }),
        );
        return;
      case "stopped":
        this.drop();
        return;
    }
  }

  private async connect(): Promise<void> {
    this.drop();
    const attempt = ++this.attempt;
    const { tokens } = this.options;
    const renew = this.state.state === "connecting" && this.state.renew;
    let token: { readonly token: string } | null;
    try {
      token = await (renew ? tokens.renew() : tokens.accessToken());
    } catch {
      if (attempt === this.attempt) this.dispatch({ type: "no-token", retryAt: this.retryAt() });
      return;
    }
    if (attempt !== this.attempt) return;
    if (token === null) this.dispatch({ type: "stop", reason: "signed-out" });
    else this.open(attempt, token.token);
  }

  private open(attempt: number, token: string): void {
    const current = () => attempt === this.attempt;
    this.timer("alive", openMs, () => this.closed(brokenOff));
    const events: LinkEvents = {
      opened: () => {
        if (!current()) return;
        this.watch();
        // The first frame follows at once, unless a proxy holds the stream back.
        this.timer("alive", openMs, () => this.closed(brokenOff));
        this.dispatch({ type: "opened" });
      },
      heard: (frame) => {
        if (!current()) return;
        this.watch();
        if (frame) this.hear(frame);
      },
      closed: (code) => {
        if (current()) this.closed(code);
      },
    };
    try {
      this.link = this.options.openLink({ token, resume: this.options.resume() }, events);
    } catch {
      // A browser may refuse a socket by throwing; for us it is one more that broke.
      this.closed(brokenOff);
    }
  }

  private hear(frame: ServerFrame): void {
    if (frame.type === "welcome") {
      this.wasMember = true;
      const perSecond = frame.limits?.framesPerSecond;
      if (perSecond) this.pace.setLimit(perSecond);
    }
    if (frame.type === "authDue") void this.renewLive(this.attempt);
    if (frame.type === "bye") this.bye = { code: frame.code, retryIn: frame.retryIn ?? 0 };
    this.options.onFrame(frame);
    if (frame.type === "ready" && this.link) this.dispatch({ type: "ready", transport: this.link.transport });
  }

  /** Renews the session on the live link (SPEC A1). If that fails, the close 4001 tries again. */
  private async renewLive(attempt: number): Promise<void> {
    try {
      const token = await this.options.tokens.renew();
      if (token && attempt === this.attempt) this.send({ type: "auth", token: token.token });
    } catch {
      if (attempt === this.attempt) this.timer("auth", authRetryMs, () => void this.renewLive(attempt));
    }
  }

  private closed(code: number): void {
    const { bye } = this;
    const asked = bye !== null && bye.retryIn > 0;
    const retryAt = asked ? this.options.env.now() + bye.retryIn : this.retryAt();
    // A close frame can get lost, the bye before it says the same (SPEC E5).
    const why = bye && code === brokenOff ? bye.code : code;
    this.dispatch({ type: "closed", code: why, retryAt, asked, wasMember: this.wasMember });
  }

  private retryAt(): number {
    const { state } = this;
    const attempt = state.state === "stopped" ? 0 : state.attempt;
    return this.options.env.now() + backoffMs(attempt, this.options.env.random);
  }

  /** The peer was heard: give it its full time again. */
  private watch(): void {
    this.timer("alive", silenceMs, () => this.probe());
  }

  /** Asks for an answer, and gives the link up if none comes. */
  private probe(): void {
    // `sync` is always answered, if only with an empty `change` (SPEC S5).
    if (this.state.state === "connected") {
      this.send({ type: "sync", revision: this.options.resume()?.revision ?? 0 });
    }
    this.timer("alive", answerMs, () => this.closed(brokenOff));
  }

  private readonly wake = (): void => {
    // After sleep or a change of network the link may be dead without saying so.
    if (this.state.state === "connected") this.probe();
    else this.dispatch({ type: "wake" });
  };

  private timer(name: "retry" | "alive" | "settled" | "auth", ms: number, run: () => void): void {
    this.timers.get(name)?.();
    this.timers.set(name, this.options.env.after(ms, run));
  }

  /** Closes the link, if there is one, and everything that waits on it. The socket first. */
  private drop(): void {
    this.attempt++;
    const { link } = this;
    this.link = null;
    this.bye = null;
    link?.close();
    for (const undo of this.timers.values()) undo();
    this.timers.clear();
  }
}
