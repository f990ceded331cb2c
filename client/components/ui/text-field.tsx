import type { ComponentProps, ReactNode } from "react";
import { classNames } from "@/lib/class-names";

/** How every text box of the client looks. */
export const inputClass = classNames(
  "block min-h-11 w-full rounded-field border border-line-strong bg-well px-3 text-base text-ink",
  "transition-colors duration-150 placeholder:text-muted hover:border-muted",
  "focus-visible:border-accent focus-visible:outline-offset-0",
  "aria-invalid:border-bad sm:min-h-10",
);

interface TextFieldProps extends Omit<ComponentProps<"input">, "id" | "name"> {
  /** The field's name on the wire; also the input's id. */
  name: string;
  label: string;
  error?: string | undefined;
  hint?: string | undefined;
  /** Sits inside the box at its right end, such as a show-password toggle. */
  end?: ReactNode;
}

/**
 * A labelled text box with its error beside it. The line below is always there,
 * so that an error moves nothing.
 */
export function TextField({ name, label, error, hint, end, className, ...input }: TextFieldProps) {
  const noteId = `${name}-note`;
  const note = error ?? hint;
  return (
    <div>
      <label id={`${name}-label`} htmlFor={name} className="mb-1.5 block font-medium text-sm">
        {label}
      </label>
      <div className="relative">
        <input
          id={name}
          name={name}
          className={classNames(inputClass, Boolean(end) && "pr-16", className)}
          aria-invalid={error ? true : undefined}
          aria-describedby={note ? noteId : undefined}
          {...input}
        />
        {end && <div className="absolute inset-y-0 right-1.5 flex items-center">{end}</div>}
      </div>
      <p
        id={noteId}
        className={classNames("mt-1 min-h-5 text-sm leading-5", error ? "text-bad" : "text-muted")}
      >
        {note}
      </p>
    </div>
  );
}
