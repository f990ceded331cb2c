import type { Environment } from "./environment";

const firstMs = 30_000;
const mostMs = 15 * 60_000;

export interface SocketMemoryOptions {
  readonly env: Environment;
  /** Until when (ms) sockets are avoided here; null or past: they are tried. Kept over reloads, no secret. */
  readonly recall: () => number | null;
  readonly remember: (until: number) => void;
}

/**
 * How long to do without WebSockets after one has failed: half a minute, and twice as long
 * with each failure, up to a quarter of an hour. Another network is another matter.
 */
export class SocketMemory {
  private earlyDeaths = 0;
  private waitMs = firstMs;
  private network: number;

  constructor(private readonly options: SocketMemoryOptions) {
    this.network = options.env.networkChangedAt();
  }

  /** Whether to go without a socket now. */
  readonly avoids = (): boolean => {
    const { env } = this.options;
    if (env.networkChangedAt() > this.network) this.forget();
    return this.earlyDeaths >= 2 || this.waitsFor() > 0;
  };

  /** Milliseconds until a socket is worth another try. */
  readonly waitsFor = (): number => {
    const { env, recall } = this.options;
    const left = (recall() ?? 0) - env.now();
    // A date far off was not written by this clock.
    return left <= mostMs ? Math.max(0, left) : 0;
  };

  /** A socket failed where the stream works, or is about to be tried again. */
  readonly postpone = (): void => {
    const { env, remember } = this.options;
    this.earlyDeaths = 0;
    remember(env.now() + this.waitMs);
    this.waitMs = Math.min(2 * this.waitMs, mostMs);
  };

  /** A socket has opened. */
  readonly opened = (): void => {
    if (this.waitsFor() > 0) this.options.remember(0);
  };

  /** An open socket ended; `early`: it broke off just after it had opened. */
  readonly ended = (early: boolean): void => {
    this.earlyDeaths = early ? this.earlyDeaths + 1 : 0;
    if (!early) this.waitMs = firstMs;
  };

  private forget(): void {
    this.network = this.options.env.networkChangedAt();
    this.earlyDeaths = 0;
    this.waitMs = firstMs;
    this.opened();
  }
}
