import type { Command } from "./tab-messages";
import type { FieldName, FieldView, Json, SettingsSnapshot } from "./types";

/**
 * A snapshot that came from another tab, with every object of `before` that still says the
 * same: what is cloned on the way is new each time, and pages draw what is new.
 */
export function keepSame(before: SettingsSnapshot, next: SettingsSnapshot): SettingsSnapshot {
  const kept: SettingsSnapshot = {
    ...next,
    status: same(before.status, next.status),
    device: same(before.device, next.device),
    fields: sameFields(before.fields, next.fields),
    devices: same(before.devices, next.devices),
    receipts: same(before.receipts, next.receipts),
    needsConfirm: same(before.needsConfirm, next.needsConfirm),
    asking: same(before.asking, next.asking),
  };
  return same(before, kept);
}

function same<T>(before: T, next: T): T {
  return JSON.stringify(before) === JSON.stringify(next) ? before : next;
}

function sameFields(
  before: SettingsSnapshot["fields"],
  next: SettingsSnapshot["fields"],
): SettingsSnapshot["fields"] {
  const fields: Partial<Record<FieldName, FieldView>> = { ...next };
  for (const name in next) {
    if (!isOwn(next, name)) continue;
    const view = next[name];
    const old = before[name];
    if (view && old) fields[name] = same(old, view);
  }
  return same(before, fields);
}

function isOwn<T extends object>(of: T, name: PropertyKey): name is keyof T {
  return Object.hasOwn(of, name);
}

/** What this tab shows: the leader's snapshot, and on top what the person did here that it does not know yet. */
export function withCommands(mirror: SettingsSnapshot, commands: readonly Command[]): SettingsSnapshot {
  const typed = new Map<FieldName, Json>();
  for (const command of commands) {
    if (command.do === "change" || (command.do === "preview" && command.save))
      typed.set(command.field, command.value);
  }
  if (typed.size === 0) return mirror;
  const fields = { ...mirror.fields };
  for (const [field, value] of typed) fields[field] = typedView(mirror, field, value);
  return { ...mirror, fields };
}

function typedView({ fields, status }: SettingsSnapshot, field: FieldName, value: Json): FieldView {
  const saving = status.state === "connected" ? "sending" : "waiting";
  const view = fields[field];
  const conflict = view?.conflict && { conflict: { ...view.conflict, mine: value } };
  // A reset shows its default once the leader has worked it out.
  const shown = value ?? view?.value ?? null;
  return { value: shown, stored: view?.stored ?? null, origin: "local", saving, ...conflict };
}
