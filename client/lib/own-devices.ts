import { browserEnvironment, type Undo } from "@/sync/environment";
import type { OwnDevice } from "./account-shapes";
import { problemOf } from "./api-error";
import type { Problem } from "./auth-types";

/** The account's devices as far as they are known. */
export interface OwnDevicesView {
  /** Null until the first answer. */
  readonly devices: readonly OwnDevice[] | null;
  /** Why the list could not be read again; the last known one stays. */
  readonly problem: Problem | null;
  /** Devices that just logged in from a place the account does not know. */
  readonly elsewhere: ReadonlySet<string>;
}

const nothing: OwnDevicesView = { devices: null, problem: null, elsewhere: new Set() };

const everyMs = 15_000;

/**
 * The devices of the account, read while anybody listens and the page is seen:
 * from time to time, when the page comes back, and when `refresh` is called
 * because something is known to have happened.
 */
export class OwnDevices {
  private view: OwnDevicesView = nothing;
  private readonly listeners = new Set<() => void>();
  private undo: Undo | null = null;
  private reading: Promise<void> | null = null;

  constructor(private readonly load: () => Promise<readonly OwnDevice[]>) {}

  readonly subscribe = (listener: () => void): Undo => {
    this.listeners.add(listener);
    this.undo ??= this.follow();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.undo?.();
      this.undo = null;
    };
  };

  readonly getSnapshot = (): OwnDevicesView => this.view;

  /** The live connection told of an event of the account (SPEC L5). */
  readonly hear = (event: string, device: { readonly id: string }): void => {
    if (event === "login")
      this.move({ ...this.view, elsewhere: new Set([...this.view.elsewhere, device.id]) });
    void this.refresh();
  };

  /** The person knows these log-ins. */
  readonly dismiss = (ids: readonly string[]): void => {
    const left = [...this.view.elsewhere].filter((id) => !ids.includes(id));
    if (left.length < this.view.elsewhere.size) this.move({ ...this.view, elsewhere: new Set(left) });
  };

  readonly refresh = (): Promise<void> => {
    this.reading ??= this.read().finally(() => {
      this.reading = null;
    });
    return this.reading;
  };

  private follow(): Undo {
    const look = () => {
      if (document.visibilityState === "visible") void this.refresh();
    };
    look();
    const timer = setInterval(look, everyMs);
    const forgetWake = browserEnvironment.onWake(look);
    return () => {
      clearInterval(timer);
      forgetWake();
      this.view = nothing; // the next to look may be somebody else
    };
  }

  private async read(): Promise<void> {
    try {
      const devices = await this.load();
      this.move({ ...this.view, devices, problem: null });
    } catch (thrown) {
      this.move({ ...this.view, problem: problemOf(thrown) });
    }
  }

  private move(view: OwnDevicesView): void {
    if (!this.undo) return; // nobody waits for it any more
    this.view = view;
    for (const listener of [...this.listeners]) listener();
  }
}
