import type { Environment, Undo } from "@/sync/environment";
import { problemOf } from "./api-error";
import type { Problem } from "./auth-types";
import type { MembersApi } from "./members-api";

/** Where a request to join stands, on the device that asked. */
export type AskingState =
  | { readonly is: "idle" }
  | { readonly is: "asking"; readonly username: string }
  /** `code` is to be read out to a member; `until` in ms since the epoch. */
  | { readonly is: "waiting"; readonly username: string; readonly code: string; readonly until: number }
  | { readonly is: "joined"; readonly username: string }
  | { readonly is: "denied"; readonly username: string }
  | { readonly is: "expired"; readonly username: string };

type Calls = Pick<MembersApi, "ask" | "awaitAnswer">;
type Time = Pick<Environment, "now" | "after">;

const againMs = 2_000;

/**
 * One request to join a user of another account. The answer is waited for on the
 * server, one long request after another; a lost one is made again.
 */
export class Asking {
  private state: AskingState = { is: "idle" };
  private readonly listeners = new Set<() => void>();
  private waiting: AbortController | null = null;

  constructor(
    private readonly calls: Calls,
    private readonly time: Time,
  ) {}

  readonly subscribe = (listener: () => void): Undo => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): AskingState => this.state;

  /** Asks; answers why that was refused, or null. One that waits already is taken up again. */
  readonly ask = async (typed: string): Promise<Problem | null> => {
    this.cancel();
    const waiting = new AbortController();
    this.waiting = waiting;
    this.move({ is: "asking", username: typed });
    try {
      const { username, waits } = await this.calls.ask(typed);
      if (waiting.signal.aborted) return null;
      if (!waits) {
        this.move({ is: "joined", username });
        return null;
      }
      const until = this.time.now() + waits.expiresIn * 1000;
      this.move({ is: "waiting", username, code: waits.code, until });
      void this.follow(username, waits.id, until, waiting.signal);
      return null;
    } catch (thrown) {
      if (!waiting.signal.aborted) this.move({ is: "idle" });
      return problemOf(thrown);
    }
  };

  /** Waits no more. The request itself ends on the server by its own time. */
  readonly cancel = (): void => {
    this.waiting?.abort();
    this.waiting = null;
    if (this.state.is !== "idle") this.move({ is: "idle" });
  };

  private async follow(username: string, id: string, until: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const status = await this.calls.awaitAnswer(id, signal).catch(() => null);
      if (signal.aborted) return;
      switch (status) {
        case "approved":
          return this.move({ is: "joined", username });
        case "denied":
          return this.move({ is: "denied", username });
        case "expired":
          return this.move({ is: "expired", username });
        case "waiting":
          break; // the server let go so that no proxy does
        case null:
          if (this.time.now() >= until) return this.move({ is: "expired", username });
          await new Promise<void>((resolve) => this.time.after(againMs, resolve));
      }
    }
  }

  private move(state: AskingState): void {
    this.state = state;
    for (const listener of [...this.listeners]) listener();
  }
}
