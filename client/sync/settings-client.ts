import type { SettingsClientOptions } from "./client-options";
import { Connection } from "./connection";
import type { ConnectionState } from "./connection-state";
import { Copy } from "./copy";
import { chosen, type Edit } from "./edits";
import type { Undo } from "./environment";
import { sameJson } from "./field-name";
import { Hints } from "./hints";
import { Keeper } from "./kept";
import { Pending } from "./pending";
import type { ServerFrame, UnreadableFrame } from "./protocol";
import { Sender } from "./sender";
import { cursorOf } from "./settings-state";
import { nextSnapshot } from "./snapshot";
import type { ChangeHow, FieldName, Json, PreviewHow, SettingsClient, SettingsSnapshot } from "./types";
import { Typing } from "./typing";
import { wellFormed } from "./well-formed";

/**
 * The settings of one user, live on this device: a copy of what the server holds, the
 * person's edits on top of it, and one connection that keeps both sides equal.
 */
export class LiveSettings implements SettingsClient {
  private readonly listeners = new Set<() => void>();
  private readonly keeper: Keeper;
  private readonly pending: Pending;
  private readonly copy: Copy;
  private readonly connection: Connection;
  private readonly sender: Sender;
  private readonly hints: Hints;
  private readonly typing: Typing;
  private snapshot: SettingsSnapshot;
  /** As the server spells it, once it has answered. */
  private username: string;
  private forgetWake: Undo = () => {};
  private live = false;
  private ended = false;
  private reported = false;

  constructor(private readonly options: SettingsClientOptions) {
    const { env, device } = options;
    this.username = options.username;
    this.keeper = new Keeper(options.storage, device.id, options.username, this.report);
    this.pending = new Pending(env, this.keeper);
    this.connection = new Connection({
      ...options,
      resume: () => cursorOf(this.copy.state()),
      onFrame: this.onFrame,
      onUnreadable: this.onUnreadable,
      onBlamed: () => this.sender.onBlamed(),
      onState: this.onState,
    });
    const { send, fits, waitMs } = this.connection;
    this.typing = new Typing(env, this.onRest);
    this.copy = new Copy({ env, keeper: this.keeper, pending: this.pending, self: device.id, send });
    this.sender = new Sender({
      env,
      pending: this.pending,
      send,
      fits,
      isTyping: this.typing.has,
      waitMs,
      state: this.copy.state,
      self: device.id,
      onChange: this.publish,
    });
    this.hints = new Hints({
      env,
      self: device.id,
      send,
      maySend: (frame) => this.live && waitMs() === 0 && fits(frame) && !this.sender.isTrying(),
      isLive: () => this.live,
      revision: () => this.copy.state().revision,
      onRest: (field, value) => this.change(field, value),
      onChange: this.publish,
    });
    this.snapshot = this.nextSnapshot(null);
  }

  /** Shows what was kept, then connects. Nothing is ever sent because of it alone (SPEC I1). */
  readonly start = async (): Promise<void> => {
    const kept = await this.keeper.read();
    this.copy.load(kept);
    this.pending.load(kept.slots);
    this.publish();
    if (this.ended) return;
    this.forgetWake = this.options.env.onWake(this.hints.look);
    this.connection.start();
  };

  readonly subscribe = (listener: () => void): Undo => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): SettingsSnapshot => this.snapshot;

  readonly change = (field: FieldName, value: Json, how?: ChangeHow): void => {
    const base = this.copy.state().entries.get(field)?.revision ?? 0;
    this.edit(field, { id: this.options.env.newId(), value, base }, how);
  };

  /** As `change`, for an edit made in another tab: told twice, it is one edit (SPEC I3). */
  readonly edit = (
    field: FieldName,
    { id, base, ...edit }: Pick<Edit, "id" | "value" | "base">,
    { typing }: ChangeHow = { typing: false },
  ): void => {
    const value = wellFormed(edit.value);
    this.copy.looked(field);
    this.keep(field, { id, base, value });
    if (typing) {
      this.typing.key(field);
      this.hints.drag(field, value, false);
    } else {
      this.hints.endDrag(field);
      this.typing.settle(field);
    }
    this.sender.pump();
    this.publish();
  };

  readonly compose = (field: FieldName): void => this.typing.compose(field);

  readonly settle = (field: FieldName): void => this.typing.settle(field);

  readonly preview = (field: FieldName, value: Json, { save }: PreviewHow = { save: true }): void => {
    this.copy.looked(field);
    // Half an address, say: what was whole before it has not come to rest either.
    if (!save && this.typing.has(field)) this.typing.key(field);
    this.hints.drag(field, wellFormed(value), save);
    this.publish();
  };

  readonly reset = (field: FieldName): void => this.change(field, null);

  readonly focus = (field: FieldName | null): void => this.hints.focus(field);

  readonly resolve = (field: FieldName, pick: "mine" | "theirs"): void => {
    this.pending.resolve(field, pick, this.copy.state().entries.get(field)?.revision ?? 0);
    this.sender.pump();
    this.publish();
  };

  readonly confirm = (send: boolean): void => {
    this.pending.answerHeld(send);
    this.sender.pump();
    this.publish();
  };

  readonly reconnect = (): void => this.connection.reconnect();

  readonly stop = (): void => {
    this.hints.endAllDrags();
    this.typing.settle();
    this.ended = true;
    this.forgetWake();
    this.connection.stop("closed");
  };

  /** Another tab, for which this one leads, shows this revision to someone (SPEC S6). */
  readonly shownElsewhere = (revision: number): void => this.hints.shownElsewhere(revision);

  /** Resolves when everything that is to outlive this page is written down. */
  readonly written = (): Promise<void> => this.pending.written();

  private readonly onFrame = (frame: ServerFrame): void => {
    switch (frame.type) {
      case "welcome":
        this.username = frame.username;
        this.copy.onWelcome(frame.epoch, frame.revision);
        break;
      case "change": {
        const changed = this.copy.onChange(frame);
        this.sender.onApplied();
        this.hints.changed(changed);
        break;
      }
      case "ready":
        this.copy.onReady(frame.revision);
        break;
      case "ack":
        this.sender.onAck(frame.id, frame.revision);
        break;
      case "refused":
        this.sender.onRefused(frame);
        break;
      case "presence":
      case "device":
      case "preview":
        this.hints.hear(frame);
        break;
      case "ping":
        this.hints.hear(frame);
        this.copy.onPing(frame.revision, frame.seal);
        break;
      case "notice": // about the account, not the settings
        this.options.onNotice?.(frame.event, frame.device);
        break;
      case "authDue":
      case "bye":
        break; // the connection's own business
    }
    this.publish();
  };

  private readonly onUnreadable = (frame: UnreadableFrame, repaired: boolean): void => {
    this.report(`A frame of the server could not be read (${frame.of ?? "unknown"}: ${frame.why}).`);
    if (frame.of === "change") this.copy.onUnreadableChange();
    else if (!repaired) this.copy.giveUpReading();
    this.publish();
  };

  /** Once is enough: what cannot be read seldom comes alone. */
  private readonly report = (message: string): void => {
    if (!this.reported) this.options.report?.(message);
    this.reported = true;
  };

  private readonly onState = (state: ConnectionState): void => {
    const was = this.live;
    this.live = state.state === "connected";
    if (this.live && !was) this.found();
    if (!this.live) this.lost();
    if (state.state === "stopped" && state.reason === "revoked") void this.wipe();
    this.publish();
  };

  private readonly onRest = (): void => {
    this.sender.pump();
    this.publish();
  };

  /** Puts a chosen value among what is unsaved, unless it is there or stored already. */
  private keep(field: FieldName, edit: Pick<Edit, "id" | "value" | "base">): void {
    const stored = this.copy.state().entries.get(field);
    const already =
      sameJson(stored?.value ?? null, edit.value) && (stored !== undefined || edit.value === null);
    const slot = this.pending.get(field);
    if (slot) {
      const { is } = slot.verdict;
      if ((is === "open" || is === "acked") && sameJson(chosen(slot), edit.value)) return;
      // Taken back before it was sent: there is nothing to save.
      if (already && is === "open" && !slot.head.sent) {
        this.pending.put(field, undefined);
        return;
      }
    } else if (already) return;
    this.pending.add(field, { ...edit, guarded: !this.live });
  }

  private found(): void {
    this.pending.holdOld(this.copy.contact());
    this.copy.touched();
    this.sender.start();
    this.hints.connected();
  }

  private lost(): void {
    this.sender.stop();
    this.hints.lost();
    this.copy.onLost();
  }

  /** Nothing of a revoked device's account may stay here (SPEC E1, 4503). */
  private async wipe(): Promise<void> {
    this.pending.clear();
    this.copy.clear();
    this.hints.clear();
    this.publish();
    await Promise.all([this.pending.written(), this.copy.written()]);
    await this.keeper.wipe();
    this.options.onRevoked?.();
  }

  private readonly publish = (): void => {
    const next = this.nextSnapshot(this.snapshot);
    if (next === this.snapshot) return;
    this.snapshot = next;
    for (const listener of [...this.listeners]) listener();
  };

  private nextSnapshot(before: SettingsSnapshot | null): SettingsSnapshot {
    const { device, defaults } = this.options;
    return nextSnapshot(before, {
      username: this.username,
      device,
      defaults,
      connection: this.connection.getState(),
      state: this.copy.state(),
      slots: this.pending.slots(),
      draft: this.hints.draft,
      preview: this.hints.preview,
      changedBy: this.copy.changedBy(),
      members: this.hints.members(),
      savedRevision: this.sender.savedRevision(),
      repairs: this.copy.repairs(),
      legibility: this.copy.legibility(),
    });
  }
}
