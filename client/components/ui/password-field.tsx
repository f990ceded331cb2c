"use client";

import { type ComponentProps, useState } from "react";
import { TextField } from "./text-field";

/** A password box that can be shown, since a typo nobody can see costs a log-in. */
export function PasswordField(props: Omit<ComponentProps<typeof TextField>, "type" | "end">) {
  const [shown, setShown] = useState(false);
  return (
    <TextField
      {...props}
      type={shown ? "text" : "password"}
      autoCapitalize="none"
      spellCheck={false}
      end={
        <button
          type="button"
          className="min-h-8 rounded px-2 text-muted text-sm hover:text-ink"
          aria-pressed={shown}
          aria-controls={props.name}
          aria-describedby={`${props.name}-label`}
          onClick={() => setShown(!shown)}
        >
          {shown ? "hide" : "show"}
        </button>
      }
    />
  );
}
