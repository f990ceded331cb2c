/**
 * Keeps to the server's frames per second (SPEC E4): at most `limit` in any second.
 * Frames the protocol obliges us to send are counted but never held back.
 */
export class Pace {
  private sent: number[] = [];

  constructor(
    private readonly now: () => number,
    private limit: number,
  ) {}

  /** Takes the server's word for it, when it gives one. */
  readonly setLimit = (framesPerSecond: number): void => {
    this.limit = Math.max(1, framesPerSecond);
  };

  readonly count = (): void => {
    this.sent.push(this.now());
  };

  /** How long until one more frame may go; 0 = now. */
  readonly waitMs = (): number => {
    const now = this.now();
    // A clock set back must not hold frames for longer than a second.
    this.sent = this.sent.filter((at) => at <= now && now - at < 1000);
    const first = this.sent[this.sent.length - this.limit];
    return first === undefined ? 0 : first + 1000 - now;
  };
}
