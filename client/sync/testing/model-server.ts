import { flatten, sameJson } from "../field-name";
import type { ClientFrame, PatchFrame } from "../protocol";
import { sealOf } from "../seal";
import type { FieldName, Json, StoredValue } from "../types";
import type { MakeSocket, SocketEvents } from "../websocket-link";
import type { FakeClock } from "./fake-clock";
import { change, member } from "./rig";

interface Session {
  readonly device: string;
  readonly events: SocketEvents;
  cursor: number;
  ready: boolean;
  over: boolean;
  /** When the last frame of each direction arrives: a connection keeps its order. */
  arrives: { up: number; down: number };
}

interface Answer {
  readonly body: string;
  readonly frame: object;
}

/**
 * The server of SPEC I to S for one user, in memory, with chance in every delay. It can
 * also misbehave: lose what it sent, cut connections, refuse for a while, and be restored.
 */
export class ModelServer {
  epoch = "e1";
  revision = 0;
  entries = new Map<FieldName, StoredValue>();
  /** Reachable at all; when not, connections break at once. */
  up = true;
  /** How often a patch is refused for a while, from 0 to 1. */
  trouble = 0;
  /** How often a frame arrives cut off, from 0 to 1. */
  damage = 0;
  /** Text over which it ends the connection, as a server with a bug would. */
  poison: string | null = null;
  /** How often a change is lost on the way, from 0 to 1: only a bug or a relay could do that. */
  loss = 0;
  patchesStored = 0;
  private answers = new Map<string, Answer>();
  private readonly sessions = new Set<Session>();

  constructor(
    private readonly clock: FakeClock,
    private readonly random: () => number,
  ) {}

  /** The sockets of one device. */
  readonly socketsOf =
    (device: string): MakeSocket =>
    (_url, _protocol, events) => {
      const arrives = { up: this.clock.now(), down: this.clock.now() };
      const session: Session = { device, events, cursor: 0, ready: false, over: false, arrives };
      this.sessions.add(session);
      this.later(session, "down", () => (this.up ? events.open() : this.cut(session, 1006)));
      return {
        send: (text) => this.later(session, "up", () => this.read(session, text)),
        close: () => this.end(session),
      };
    };

  /** Breaks every connection, or those of one device, with everything on its way. */
  readonly cutAll = (code = 1006, device?: string): void => {
    for (const session of [...this.sessions])
      if (!device || session.device === device) this.cut(session, code);
  };

  /** A restore from an older backup: another epoch, and nothing after it is remembered (SPEC I4). */
  readonly restore = (backup: ReturnType<ModelServer["backup"]>, epoch: string): void => {
    this.epoch = epoch;
    this.revision = backup.revision;
    this.entries = new Map(backup.entries);
    this.answers = new Map(backup.answers);
    this.cutAll(4005);
  };

  readonly backup = () => ({
    revision: this.revision,
    entries: new Map(this.entries),
    answers: new Map(this.answers),
  });

  /** What the server does after 25 s of quiet (SPEC S6). */
  readonly pingAll = (): void => {
    for (const session of this.sessions) {
      if (!session.ready) continue;
      this.say(session, { type: "ping", revision: this.revision, seal: sealOf(this.entries) });
    }
  };

  /** As a real one reads: what is no well-formed text (SPEC V4) or too big (E2) ends the connection. */
  private read(session: Session, text: string): void {
    const wellFormed = !/\\ud[89a-f]|\p{Surrogate}/u.test(text.replaceAll("\\\\", ""));
    if (text.length > 32 * 1024) this.cut(session, 1009);
    else if (!wellFormed || this.isPoison(text)) this.cut(session, 4500);
    else this.hear(session, JSON.parse(text));
  }

  private isPoison(text: string): boolean {
    return this.poison !== null && text.includes(this.poison) && text.includes('"patch"');
  }

  private hear(session: Session, frame: ClientFrame): void {
    switch (frame.type) {
      case "hello": {
        const { resume } = frame;
        const known = resume?.epoch === this.epoch && resume.revision <= this.revision;
        session.cursor = known ? resume.revision : 0;
        const { epoch, revision } = this;
        const device = { id: session.device, name: session.device };
        this.say(session, { type: "welcome", session: "s", device, username: "u", epoch, revision });
        if (session.cursor !== revision) this.bring(session);
        this.say(session, { type: "presence", full: true, devices: [member(device)] });
        this.say(session, { type: "ready", revision });
        session.ready = true;
        return;
      }
      case "patch":
        this.say(session, this.answer(session, frame));
        return;
      case "sync":
        session.cursor = frame.revision <= this.revision ? frame.revision : 0;
        this.bring(session, true);
        return;
      case "preview":
        for (const to of this.sessions) {
          if (to !== session && to.ready) this.say(to, { ...frame, device: session.device });
        }
        return;
      case "auth":
      case "focus":
      case "pong":
        return;
    }
  }

  private answer(session: Session, patch: PatchFrame): object {
    const { id } = patch;
    const key = `${session.device} ${id}`;
    const body = JSON.stringify([patch.set, patch.base]);
    const before = this.answers.get(key);
    if (before && before.body !== body)
      return { type: "refused", id, code: "id-reused", message: "Another body." };
    if (before) return { ...before.frame, duplicate: true };
    if (!session.ready) return { type: "refused", id, code: "not-ready", message: "Not yet." };
    if (this.random() < this.trouble) return { type: "refused", id, code: "unavailable", message: "Busy." };
    const frame = this.conflict(patch) ?? this.store(session, patch);
    this.answers.set(key, { body, frame });
    return frame;
  }

  private conflict({ id, base, set }: PatchFrame): object | null {
    const moved = flatten<number>(base ?? {}).filter(
      ([field, at]) => (this.entries.get(field)?.revision ?? 0) > at,
    );
    if (moved.length === 0 || flatten<Json>(set).length === 0) return null;
    const current: Partial<Record<FieldName, StoredValue>> = {};
    for (const [field] of moved) current[field] = this.entries.get(field);
    const { values } = change(0, 0, current);
    return { type: "refused", id, code: "conflict", message: "Moved on.", current: values };
  }

  private store(session: Session, { id, set }: PatchFrame): object {
    this.revision++;
    this.patchesStored++;
    const at = new Date(this.clock.now()).toISOString();
    for (const [field, value] of flatten<Json>(set)) {
      this.entries.set(field, { value, revision: this.revision, device: session.device, at });
    }
    const { revision } = this;
    // Everyone is brought to now, each after a while; the sender before its ack (SPEC S4).
    this.bring(session);
    for (const other of this.sessions) {
      if (other !== session && other.ready) {
        this.clock.after(this.random() * 300, () => {
          if (!other.over && other.cursor < this.revision) this.bring(other);
        });
      }
    }
    return { type: "ack", id, revision, duplicate: false };
  }

  /** One `change` from the session's cursor to now (SPEC S1). */
  private bring(session: Session, certainly = false): void {
    const { epoch, revision } = this;
    const from = session.cursor;
    session.cursor = revision;
    if (!certainly && from > 0 && this.random() < this.loss) return;
    const values: Partial<Record<FieldName, StoredValue>> = {};
    for (const [field, stored] of this.entries) if (stored.revision > from) values[field] = stored;
    this.say(session, change(from, revision, values, epoch));
  }

  private say(session: Session, frame: object): void {
    const whole = JSON.stringify(frame);
    const text = this.random() < this.damage ? whole.slice(0, this.random() * whole.length) : whole;
    this.later(session, "down", () => session.events.message(text));
  }

  private later(session: Session, way: "up" | "down", run: () => void): void {
    const at = Math.max(session.arrives[way], this.clock.now() + this.random() * 120);
    session.arrives[way] = at;
    this.clock.after(at - this.clock.now(), () => {
      if (!session.over) run();
    });
  }

  private cut(session: Session, code: number): void {
    if (session.over) return;
    this.end(session);
    session.events.close(code);
  }

  private end(session: Session): void {
    session.over = true;
    this.sessions.delete(session);
  }

  /** Whether a copy is byte for byte what the server holds. */
  readonly equals = (entries: ReadonlyMap<FieldName, StoredValue>): boolean =>
    entries.size === this.entries.size &&
    [...entries].every(([field, here]) => {
      const there = this.entries.get(field);
      return (
        there?.revision === here.revision && sameJson(there.value, here.value) && there.device === here.device
      );
    });
}
