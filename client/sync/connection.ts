import { backoffMs, settledMs } from "./backoff";
import { blamesFrame, brokenOff } from "./codes";
import { type ConnectionEvent, type ConnectionState, firstState, transition } from "./connection-state";
import type { Environment, Undo } from "./environment";
import type { Link, LinkEvents, OpenLink, OpenReplaceableLink } from "./link";
import { Pace } from "./pace";
import {
  type ClientFrame,
  type Cursor,
  encodeFrame,
  type ServerFrame,
  type UnreadableFrame,
} from "./protocol";
import type { StopReason } from "./types";

/** Where access tokens come from. Null: signed out. A rejection: could not be asked. */
export interface TokenSource {
  readonly accessToken: () => Promise<{ readonly token: string } | null>;
  readonly renew: () => Promise<{ readonly token: string } | null>;
}

export interface ConnectionOptions {
  readonly env: Environment;
  readonly tokens: TokenSource;
  readonly openLink: OpenReplaceableLink;
  /** Asked anew for each attempt. */
  readonly resume: () => Cursor | null;
  /** Every frame of the current link, in order. */
  readonly onFrame: (frame: ServerFrame) => void;
  /** `repaired`: the link is replaced, or need not be. False after replacing it did not help. */
  readonly onUnreadable: (frame: UnreadableFrame, repaired: boolean) => void;
  /** The link ended over something sent on it. Returns whether an unanswered patch may be the cause. */
  readonly onBlamed: () => boolean;
  /** After each change of the state. */
  readonly onState: (state: ConnectionState) => void;
}

// The server pings after 25 s without a frame from us (SPEC S6), but says nothing
// while we keep talking: after 35 s of its silence we ask, after 10 s more we leave.
const silenceMs = 35_000;
const answerMs = 10_000;
const openMs = 15_000;
const authRetryMs = 5_000;

/** So many links in a row are replaced at once because of a frame that could not be read. */
const mostReplaced = 2;

const utf8 = new TextEncoder();

/**
 * Keeps one link alive: opens it, watches it, replaces it (SPEC C4, S6, A1, E1, E5).
 * It knows nothing of settings; what to do next is decided by `transition`.
 */
export class Connection {
  private state: ConnectionState = firstState;
  private link: Link | null = null;
  /** Opens beside the link, to take over from it. */
  private candidate: Link | null = null;
  private heardAt = 0;
  /** A sign of life was asked for, and has not come. */
  private probing = false;
  /** Grows with every attempt: what an older one still has to say is not heard. */
  private attempt = 0;
  private wasMember = false;
  private bye: { code: number; retryIn: number } | null = null;
  private replaced = 0;
  private frameBytes = 32 * 1024;
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

  /** Whether the server takes a frame of this size (SPEC E2). */
  readonly fits = (frame: ClientFrame): boolean => utf8.encode(encodeFrame(frame)).length <= this.frameBytes;

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
        if (before.state !== "connected") this.timer("settled", settledMs, this.settled);
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

  private eventsOf(attempt: number): LinkEvents {
    const current = () => attempt === this.attempt;
    return {
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
        if (frame?.type === "unreadable") this.misread(frame);
        else if (frame) this.hear(frame);
      },
      closed: (code) => {
        if (current()) this.closed(code);
      },
    };
  }

  private open(attempt: number, token: string): void {
    this.probing = false;
    this.timer("alive", openMs, () => this.closed(brokenOff));
    const offered = (open: OpenLink) => {
      if (attempt === this.attempt) void this.changeOver(attempt, open);
    };
    try {
      this.link = this.options.openLink(
        { token, resume: this.options.resume() },
        { ...this.eventsOf(attempt), offered },
      );
    } catch {
      // A browser may refuse a socket by throwing; for us it is one more that broke.
      this.closed(brokenOff);
    }
  }

  /** Opens a better link beside the current one, which goes on until that one is open. */
  private async changeOver(attempt: number, open: OpenLink): Promise<void> {
    const token = await this.options.tokens.accessToken().catch(() => null);
    if (!token || attempt !== this.attempt) return;
    this.candidate?.close();
    let events: LinkEvents | null = null;
    const candidate = open(
      { token: token.token, resume: this.options.resume() },
      {
        opened: () => {
          this.candidate = null; // or it would be dropped with the others
          this.drop();
          this.link = candidate;
          events = this.eventsOf(this.attempt);
          events.opened();
        },
        heard: (frame) => events?.heard(frame),
        closed: (code) => events?.closed(code),
      },
    );
    this.candidate = candidate;
  }

  private hear(frame: ServerFrame): void {
    if (frame.type === "welcome") {
      this.wasMember = true;
      const perSecond = frame.limits?.framesPerSecond;
      if (perSecond) this.pace.setLimit(perSecond);
      this.frameBytes = frame.limits?.frameBytes ?? this.frameBytes;
    }
    if (frame.type === "authDue") void this.renewLive(this.attempt);
    if (frame.type === "bye") this.bye = { code: frame.code, retryIn: frame.retryIn ?? 0 };
    this.options.onFrame(frame);
    if (frame.type === "ready" && this.link) this.dispatch({ type: "ready", transport: this.link.transport });
  }

  /**
   * An unreadable `change` is asked for again on this link (SPEC D1), and a hint is worth no
   * repair. Everything else comes anew with a new link: the opening, and each answer (SPEC I3).
   * Where new links do not help, one more is tried after 30 s.
   */
  private misread(frame: UnreadableFrame): void {
    const minor = frame.of === "change" || frame.of === "preview" || frame.of === "notice";
    const repaired = minor || this.replaced < mostReplaced;
    this.options.onUnreadable(frame, repaired);
    if (minor) return;
    if (!repaired) {
      this.timer("settled", settledMs, () => this.closed(brokenOff));
      return;
    }
    this.replaced++;
    this.closed(brokenOff);
  }

  private readonly settled = (): void => {
    this.replaced = 0;
    this.dispatch({ type: "settled" });
  };

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
    const excused = blamesFrame(why) && this.options.onBlamed();
    this.dispatch({ type: "closed", code: why, retryAt, asked, wasMember: this.wasMember, excused });
  }

  private retryAt(): number {
    const { state } = this;
    const attempt = state.state === "stopped" ? 0 : state.attempt;
    return this.options.env.now() + backoffMs(attempt, this.options.env.random);
  }

  /** The peer was heard: give it its full time again. */
  private watch(): void {
    this.heardAt = this.options.env.now();
    this.probing = false;
    this.timer("alive", silenceMs, () => {
      // Late by this much, the page was frozen: nothing of its link can be relied on.
      if (this.silentFor() > silenceMs + answerMs) this.reopen();
      else this.probe();
    });
  }

  private silentFor(): number {
    return this.options.env.now() - this.heardAt;
  }

  /** Asks for an answer, and gives the link up if none comes. */
  private probe(): void {
    if (this.probing) return;
    this.probing = true;
    // `sync` is always answered, if only with an empty `change` (SPEC S5).
    if (this.state.state === "connected") {
      this.send({ type: "sync", revision: this.options.resume()?.revision ?? 0 });
    }
    this.timer("alive", answerMs, () => this.closed(brokenOff));
  }

  /** After sleep or a change of network the link may be dead without saying so. */
  private readonly wake = (): void => {
    const { state } = this.state;
    const open = state === "connected" || state === "catching-up";
    // Values older than the silence a link is allowed are not shown as current, not even until an answer comes.
    if (!open || this.silentFor() > silenceMs) this.reopen();
    else if (state === "connected") this.probe();
  };

  /** Connects at once, in place of whatever there is. */
  private reopen(): void {
    const { state } = this.state;
    if (state === "connected" || state === "catching-up") this.closed(brokenOff);
    this.dispatch({ type: "wake" });
  }

  private timer(name: "retry" | "alive" | "settled" | "auth", ms: number, run: () => void): void {
    this.timers.get(name)?.();
    this.timers.set(name, this.options.env.after(ms, run));
  }

  /** Closes the link, if there is one, and everything that waits on it. The socket first. */
  private drop(): void {
    this.attempt++;
    const { link, candidate } = this;
    this.link = null;
    this.candidate = null;
    this.bye = null;
    link?.close();
    candidate?.close();
    for (const undo of this.timers.values()) undo();
    this.timers.clear();
  }
}
