import { memoryStorage } from "../browser-storage";
import type { TokenSource } from "../connection";
import type { Storage } from "../kept";
import type { PatchFrame } from "../protocol";
import { LiveSettings } from "../settings-client";
import type { FieldName, FieldView, Json, StoredValue } from "../types";
import { webSocketLinks } from "../websocket-link";
import { FakeClock, FakeEnvironment, settle } from "./fake-clock";
import { type FakeSocket, FakeSockets } from "./fake-socket";

export const self = { id: "d_1", name: "Chrome.test6" };
export const other = { id: "d_2", name: "Firefox.test6" };

/** The demo's defaults. */
export const defaults = {
  "user.username": "",
  "user.email": "",
  "user.acceptedTerms": false,
  "billing.period": 3,
  "billing.salary": 2500,
} as const;

/** Tokens t1, t2, …; `renew` counts up. */
export class FakeTokens implements TokenSource {
  made = 1;
  renewals = 0;
  signedOut = false;
  unreachable = false;

  readonly accessToken: TokenSource["accessToken"] = async () => this.answer();
  readonly renew: TokenSource["renew"] = async () => {
    this.renewals++;
    if (!this.unreachable) this.made++;
    return this.answer();
  };

  private answer() {
    if (this.unreachable) throw new Error("no network");
    return this.signedOut ? null : { token: `t${this.made}` };
  }
}

export interface RigOptions {
  readonly clock?: FakeClock;
  readonly storage?: Storage;
  /** Keeps the ids of two pages of one device apart, as chance does. */
  readonly idPrefix?: string;
}

/** One client with a fake world around it. */
export class Rig {
  readonly clock: FakeClock;
  readonly env: FakeEnvironment;
  readonly sockets = new FakeSockets();
  readonly tokens = new FakeTokens();
  readonly storage: Storage;
  readonly client: LiveSettings;
  /** What the client could not read. */
  readonly reports: string[] = [];
  revoked = 0;

  constructor({ clock = new FakeClock(), storage = memoryStorage(), idPrefix = "p" }: RigOptions = {}) {
    this.clock = clock;
    this.env = new FakeEnvironment(clock, () => 0.5, idPrefix);
    this.storage = storage;
    this.client = new LiveSettings({
      username: "TestUser6",
      device: self,
      defaults,
      tokens: this.tokens,
      openLink: webSocketLinks("ws://here/ws", this.sockets.make),
      storage,
      env: this.env,
      onRevoked: () => this.revoked++,
      report: (message) => this.reports.push(message),
    });
  }

  get socket(): FakeSocket {
    return this.sockets.last;
  }

  /** Every patch that was ever on a link. */
  get patches(): PatchFrame[] {
    return this.sockets.all.flatMap((socket) => socket.said("patch"));
  }

  get snapshot() {
    return this.client.getSnapshot();
  }

  readonly field = (name: FieldName): FieldView => {
    const view = this.snapshot.fields[name];
    if (!view) throw new Error(`no field ${name}`);
    return view;
  };

  /** Starts the client up to the socket being made. */
  readonly start = async (): Promise<void> => {
    await this.client.start();
    await settle();
  };

  /** Plays the server's whole greeting on the newest socket (SPEC C5). */
  readonly greet = async ({
    epoch = "k3f9",
    revision = 0,
    change = null as object | null,
  } = {}): Promise<void> => {
    const { socket } = this;
    socket.open();
    socket.say({ type: "welcome", session: "s_1", device: self, username: "TestUser6", epoch, revision });
    if (change) socket.say(change);
    socket.say({ type: "presence", full: true, devices: [member(self), member(other)] });
    socket.say({ type: "ready", revision });
    await settle();
  };

  /** Started and connected, with these values stored. */
  readonly live = async (values: Partial<Record<FieldName, StoredValue>> = {}): Promise<void> => {
    await this.start();
    const revision = Math.max(0, ...Object.values(values).map((entry) => entry?.revision ?? 0));
    await this.greet({ revision, change: revision > 0 ? change(0, revision, values) : null });
  };

  /** The link breaks, the back-off passes, and there is a new socket. */
  readonly comeBack = async (code = 1006): Promise<void> => {
    this.socket.drop(code);
    const { status } = this.snapshot;
    if (status.state === "offline") await this.clock.advance(status.retryAt - this.clock.now());
  };
}

export function member(device: { id: string; name: string }, more: object = {}): object {
  return { ...device, online: true, sessions: 1, lastSeen: null, focus: null, seen: 0, ...more };
}

/** A stored value; by the other device unless said. */
export function entry(value: Json, revision: number, device: string = other.id): StoredValue {
  return { value, revision, device, at: "2026-11-23T09:00:00.000Z" };
}

/** A `change` frame of these fields. */
export function change(
  from: number,
  revision: number,
  values: Partial<Record<FieldName, StoredValue>>,
  epoch = "k3f9",
): { readonly type: string; readonly values: Record<string, Record<string, StoredValue>> } & object {
  const blocks: Record<string, Record<string, StoredValue>> = {};
  for (const [field, stored] of Object.entries(values)) {
    if (!stored) continue;
    const [block = "", key = ""] = field.split(".");
    blocks[block] = { ...blocks[block], [key]: stored };
  }
  const frame = { type: "change", epoch, from, revision, values: blocks };
  return frame;
}
