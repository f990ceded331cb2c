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

/** A text of the settings: shown to the others as it is typed, saved when the person rests or leaves it. */
export function TextSetting({
  label,
  type = "text",
  maxLength,
  savable = always,
  ...props
}: TextSettingProps) {
  const { field, view, selfId, actions } = props;
  const typed = useTypedText(view, selfId, savable, {
    type: (text, whole) =>
      whole ? actions.change(field, text, { typing: true }) : actions.preview(field, text, { save: false }),
    compose: () => actions.compose(field),
    settle: () => actions.settle(field),
  });
  const bad = typed.unsaved || view.saving === "refused";
  return (
    <FieldFrame
      {...props}
      label={label}
      unsaved={typed.unsaved}
      composing={typed.composing}
      hint={
        typed.theirs !== null && (
          <TheirText text={typed.theirs} view={view} selfId={selfId} onUse={typed.takeTheirs} />
        )
      }
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
        onCompositionStart={() => typed.onCompose("begun")}
        onCompositionEnd={() => typed.onCompose("done")}
        onKeyDown={({ key }) => key === "Enter" && typed.onEnter()}
        onFocus={() => actions.focus(field)}
        onBlur={() => {
          typed.onLeave();
          actions.focus(null);
        }}
      />
    </FieldFrame>
  );
}

interface TheirTextProps extends Pick<FieldProps, "view" | "selfId"> {
  text: string;
  onUse: () => void;
}

/** Whose text it is. This device has more than one page where each tab connects for itself. */
function theirName({ previewBy, changedBy }: FieldProps["view"], selfId: string): string {
  const by = previewBy ?? changedBy;
  if (by?.device === selfId) return "another window of this device";
  return by?.deviceName ?? "another device";
}

/** What was made of the text elsewhere meanwhile, and the way to take it. */
function TheirText({ text, view, selfId, onUse }: TheirTextProps) {
  return (
    <span role="status" className="flex min-w-0 items-center gap-2 text-muted">
      <span className="truncate">{`${theirName(view, selfId)}: ${text === "" ? "empty" : `“${text}”`}`}</span>
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
