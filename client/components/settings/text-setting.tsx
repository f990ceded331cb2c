"use client";

import { inputClass } from "@/components/ui/text-field";
import { FieldFrame } from "./field-frame";
import { type FieldProps, fieldId } from "./field-props";
import { useTypedText } from "./use-typed-text";

interface TextSettingProps extends FieldProps {
  label: string;
  type?: "text" | "email";
  maxLength?: number;
  /** Whether the text can be saved as it is; half-typed text is shown to the others, and stored by nobody. */
  savable?: (text: string) => boolean;
}

const always = () => true;

/** A text of the settings, saved as it is typed. */
export function TextSetting({
  label,
  type = "text",
  maxLength,
  savable = always,
  ...props
}: TextSettingProps) {
  const { field, view, selfId, actions } = props;
  const typed = useTypedText(view, selfId, savable, (text, whole) =>
    whole ? actions.change(field, text) : actions.preview(field, text, { save: false }),
  );
  const bad = typed.unsaved || view.saving === "refused";
  return (
    <FieldFrame
      {...props}
      label={label}
      unsaved={typed.unsaved}
      hint={typed.theirs !== null && <TheirText text={typed.theirs} view={view} onUse={typed.takeTheirs} />}
    >
      <input
        id={fieldId(field)}
        type={type}
        className={inputClass}
        autoComplete="off"
        spellCheck={false}
        maxLength={maxLength}
        value={typed.value}
        aria-invalid={bad || undefined}
        aria-describedby={`${fieldId(field)}-note`}
        onChange={(event) => typed.onType(event.currentTarget.value)}
        onFocus={() => actions.focus(field)}
        onBlur={() => {
          typed.onLeave();
          actions.focus(null);
        }}
      />
    </FieldFrame>
  );
}

/** What another device made of the text meanwhile, and the way to take it. */
function TheirText({ text, view, onUse }: { text: string; view: FieldProps["view"]; onUse: () => void }) {
  return (
    <span role="status" className="flex min-w-0 items-center gap-2 text-muted">
      <span className="truncate">
        {view.changedBy?.deviceName ?? "another device"}: {text === "" ? "empty" : `“${text}”`}
      </span>
      <button
        type="button"
        className="shrink-0 font-medium text-accent underline-offset-4 hover:underline"
        onMouseDown={(event) => event.preventDefault() /* or the box loses its focus before the click */}
        onClick={onUse}
      >
        use it
      </button>
    </span>
  );
}
