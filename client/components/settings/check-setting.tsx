"use client";

import { Icon } from "@/components/ui/icon";
import { FieldFrame } from "./field-frame";
import { type FieldProps, fieldId } from "./field-props";

/** A yes or no of the settings. */
export function CheckSetting({ label, ...props }: FieldProps & { label: string }) {
  const { field, view, actions } = props;
  const id = fieldId(field);
  return (
    <FieldFrame {...props}>
      <div className="flex min-h-11 items-center gap-3 sm:min-h-8">
        <span className="relative grid size-5 shrink-0 place-items-center">
          <input
            id={id}
            type="checkbox"
            className="peer size-5 appearance-none rounded-[0.3125rem] border border-line-strong bg-well transition-colors checked:border-accent checked:bg-accent hover:border-muted"
            checked={view.value === true}
            aria-describedby={`${id}-note`}
            onChange={(event) => actions.change(field, event.currentTarget.checked)}
            onFocus={() => actions.focus(field)}
            onBlur={() => actions.focus(null)}
          />
          <span className="pointer-events-none invisible absolute text-on-accent peer-checked:visible">
            <Icon name="check" />
          </span>
        </span>
        <label id={`${id}-label`} htmlFor={id} className="cursor-pointer text-sm">
          {label}
        </label>
      </div>
    </FieldFrame>
  );
}
