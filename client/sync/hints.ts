import { Drafts } from "./drafts";
import type { Environment } from "./environment";
import { flatten } from "./field-name";
import { applyDevice, applyPresence, type Members, nobody } from "./presence";
import { type Preview, Previews } from "./previews";
import type { ClientFrame, ServerFrame } from "./protocol";
import { Seen } from "./seen";
import type { FieldName, Json } from "./types";

export interface HintsOptions {
  readonly env: Environment;
  readonly self: string;
  readonly send: (frame: ClientFrame) => void;
  readonly isLive: () => boolean;
  /** Whether a preview may go now. */
  readonly maySend: (preview: ClientFrame) => boolean;
  /** The revision this copy is at. */
  readonly revision: () => number;
  /** A drag came to rest: its value is a choice now. */
  readonly onRest: (field: FieldName, value: Json) => void;
  readonly onChange: () => void;
}

/** What is told but never stored (SPEC L, S6): who is here, what they drag, edit and have seen. */
export class Hints {
  private current: Members = nobody;
  private focused: FieldName | null = null;
  private readonly drafts: Drafts;
  private readonly previews: Previews;
  private readonly seen: Seen;

  constructor(private readonly options: HintsOptions) {
    const { env, send, maySend, onRest, onChange, revision } = options;
    this.drafts = new Drafts({ env, send, onRest, maySend });
    this.previews = new Previews(env, onChange);
    this.seen = new Seen(env, revision, (seen) => send({ type: "pong", seen }));
  }

  readonly members = (): Members => this.current;
  /** What this person is dragging. */
  readonly draft = (field: FieldName): Json | undefined => this.drafts.get(field);
  /** What another device is dragging. */
  readonly preview = (field: FieldName): Preview | undefined => this.previews.get(field);

  readonly drag = (field: FieldName, value: Json, save = true): void => this.drafts.set(field, value, save);
  readonly endDrag = (field: FieldName): void => this.drafts.drop(field);
  readonly endAllDrags = (): void => this.drafts.rest();

  readonly focus = (field: FieldName | null): void => {
    if (field === this.focused) return;
    this.focused = field;
    if (this.options.isLive()) this.options.send({ type: "focus", field });
  };

  readonly hear = (
    frame: Extract<ServerFrame, { type: "presence" | "device" | "preview" | "ping" }>,
  ): void => {
    const { self } = this.options;
    switch (frame.type) {
      case "presence":
        this.current = applyPresence(this.current, frame, self);
        return;
      case "device":
        this.current = applyDevice(this.current, frame, self);
        return;
      case "preview":
        for (const [field, value] of flatten<Json>(frame.set))
          this.previews.show(field, { value, device: frame.device });
        return;
      case "ping":
        this.seen.answer();
        return;
    }
  };

  /** These fields have a stored value newer than any preview (SPEC L1). */
  readonly changed = (fields: readonly FieldName[]): void => {
    for (const field of fields) {
      this.previews.drop(field);
      this.drafts.again(field);
    }
    this.look();
  };

  /** Someone may have looked at the page. */
  readonly look = (): void => {
    if (this.options.isLive()) this.seen.look();
  };

  /** Another tab of this browser shows this revision to someone. */
  readonly shownElsewhere = (revision: number): void => {
    if (this.options.isLive()) this.seen.shownElsewhere(revision);
  };

  readonly connected = (): void => {
    this.seen.look();
    // A focus ends with its session (SPEC L2).
    if (this.focused) this.options.send({ type: "focus", field: this.focused });
  };

  readonly lost = (): void => {
    this.seen.stop();
    this.previews.clear();
  };

  /** Forgets who is here. */
  readonly clear = (): void => {
    this.current = nobody;
  };
}
