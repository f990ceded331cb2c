import type { Environment, Undo } from "./environment";

const everyMs = 1000;

/**
 * Tells the server which revision this device has shown (SPEC S6): with each pong,
 * and unasked at most once a second. A page nobody looks at has shown nothing.
 */
export class Seen {
  private shown = 0;
  private told = 0;
  private timer: Undo | null = null;

  constructor(
    private readonly env: Environment,
    private readonly revision: () => number,
    private readonly tell: (seen: number) => void,
  ) {}

  /** The copy changed, or the page came to the front. */
  readonly look = (): void => {
    if (this.env.visible()) this.shown = this.revision();
    this.share();
  };

  /** Another tab of this browser shows it to someone. */
  readonly shownElsewhere = (revision: number): void => {
    this.shown = Math.max(this.shown, Math.min(revision, this.revision()));
    this.share();
  };

  private readonly share = (): void => {
    if (this.shown === this.told || this.timer) return;
    this.answer();
    this.timer = this.env.after(everyMs, () => {
      this.timer = null;
      this.look();
    });
  };

  /** Answers a ping. */
  readonly answer = (): void => {
    this.told = this.shown;
    this.tell(this.shown);
  };

  readonly stop = (): void => {
    this.told = 0;
    this.timer?.();
    this.timer = null;
  };
}
