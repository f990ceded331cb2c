"use client";

import type { ReactNode } from "react";
import { WhyButton } from "@/components/history/why-button";
import { Icon } from "@/components/ui/icon";
import { fieldTitle } from "@/lib/demo-fields";
import type { Json } from "@/sync/types";
import { ChangedNote } from "./changed-note";
import { ConflictChip } from "./conflict-chip";
import { type FieldProps, fieldId } from "./field-props";
import { SaveNote } from "./save-note";
import { useEditedHere } from "./use-edited-here";

interface FieldFrameProps extends FieldProps {
  /** The label's content; absent where the control brings its own label. */
  label?: ReactNode;
  /** The box holds text that cannot be saved as it is. */
  unsaved?: boolean;
  /** The box holds text that is still being composed, and so is not on its way yet. */
  composing?: boolean;
  /** Takes the place of "who changed it" in the note line. */
  hint?: ReactNode;
  format?: (value: Json) => string;
  children: ReactNode;
}

/**
 * What stands around every control: its label, the way back to the default, and
 * one line of notes that is always there, so that nothing moves when it fills.
 */
export function FieldFrame(props: FieldFrameProps) {
  const {
    field,
    view,
    selfId,
    actions,
    label,
    unsaved = false,
    composing = false,
    hint,
    format,
    children,
  } = props;
  const id = fieldId(field);
  const labelId = `${id}-label`;
  const editedAt = useEditedHere(view);
  const theirs =
    view.changedBy && !view.conflict && view.stored?.device === view.changedBy.device ? view.changedBy : null;
  const resettable = view.origin !== "default" && !(view.origin === "preview" && view.stored === null);
  return (
    <div className="relative isolate">
      {/* Drawn anew for each change, which starts the glow, while the control keeps its focus. */}
      {theirs && (
        <span
          key={theirs.revision}
          aria-hidden="true"
          className="-inset-x-2 -inset-y-1 -z-10 pointer-events-none absolute animate-glow rounded-field"
        />
      )}
      <div className="flex min-h-8 items-center justify-between gap-2">
        {label ? (
          <label id={labelId} htmlFor={id} className="font-medium text-sm">
            {label}
          </label>
        ) : (
          children
        )}
        <span className="flex shrink-0 items-center gap-0.5">
          {resettable && (
            <button
              type="button"
              title="Back to the default"
              aria-describedby={labelId}
              className="grid size-7 shrink-0 place-items-center rounded-field text-muted transition-colors hover:bg-line/50 hover:text-ink"
              onClick={() => actions.reset(field)}
            >
              <Icon name="reset" />
              <span className="sr-only">reset</span>
            </button>
          )}
          <WhyButton field={field} labelId={labelId} />
        </span>
      </div>
      {label && children}
      <div
        id={`${id}-note`}
        className="mt-1 flex min-h-5 items-center justify-between gap-3 text-xs leading-5"
      >
        <span className="flex shrink-0 items-center has-[[role=alert]]:shrink">
          <SaveNote
            view={view}
            edited={editedAt !== null && !theirs}
            unsaved={unsaved}
            composing={composing}
          />
          {view.saving === "refused" && !unsaved && (
            <button
              type="button"
              className="ml-2 font-medium text-accent underline-offset-4 hover:underline"
              onClick={() => actions.resolve(field, "theirs")}
            >
              undo
            </button>
          )}
        </span>
        {hint || (theirs && <ChangedNote by={theirs} />)}
      </div>
      {view.conflict && (
        <ConflictChip
          title={fieldTitle(field)}
          conflict={view.conflict}
          selfId={selfId}
          {...(format && { format })}
          onPick={(pick) => actions.resolve(field, pick)}
        />
      )}
    </div>
  );
}
