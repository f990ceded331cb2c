"use client";

import { type CSSProperties, type ReactNode, useEffect, useRef } from "react";
import type { Json } from "@/sync/types";
import { FieldFrame } from "./field-frame";
import { type FieldProps, fieldId } from "./field-props";

interface SliderSettingProps extends FieldProps {
  /** The label with the value in it, as in "Salary $2500". */
  label: (value: number) => ReactNode;
  /** The value as a screen reader says it, as in "$2,500". */
  valueText: (value: number) => string;
  min: number;
  max: number;
}

/** A number of the settings. Dragging is shown everywhere at once; letting go saves. */
export function SliderSetting({ label, valueText, min, max, ...props }: SliderSettingProps) {
  const { field, view, actions } = props;
  const value = typeof view.value === "number" ? view.value : min;
  const slider = useRef<HTMLInputElement>(null);

  // React's onChange is the browser's "input"; the browser's own "change" says that the person has let go.
  useEffect(() => {
    const input = slider.current;
    const release = () => input && actions.change(field, input.valueAsNumber);
    input?.addEventListener("change", release);
    return () => input?.removeEventListener("change", release);
  }, [actions, field]);

  const fill: CSSProperties & { "--fill": string } = { "--fill": `${((value - min) / (max - min)) * 100}%` };
  const format = (other: Json) => (typeof other === "number" ? valueText(other) : "default");
  return (
    <FieldFrame {...props} label={<span className="tabular-nums">{label(value)}</span>} format={format}>
      <input
        ref={slider}
        id={fieldId(field)}
        type="range"
        className="slider block"
        style={fill}
        min={min}
        max={max}
        step={1}
        value={value}
        aria-valuetext={valueText(value)}
        aria-describedby={`${fieldId(field)}-note`}
        onChange={(event) => actions.preview(field, event.currentTarget.valueAsNumber)}
        onFocus={() => actions.focus(field)}
        onBlur={() => actions.focus(null)}
      />
    </FieldFrame>
  );
}
