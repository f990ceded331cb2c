"use client";

import { type ReactNode, useId } from "react";
import { classNames } from "@/lib/class-names";
import { fieldTitle } from "@/lib/demo-fields";
import { useSnapshot } from "@/sync";
import { isFieldName } from "@/sync/field-name";
import type { HistoryFilter } from "./use-history";

interface FilterProps {
  filter: HistoryFilter;
  onFilter: (filter: HistoryFilter) => void;
}

/** Only one field, only one device, or both. */
export function HistoryFilterBar({ filter, onFilter }: FilterProps) {
  const fields = useSnapshot((snapshot) => snapshot.fields);
  const devices = useSnapshot((snapshot) => snapshot.devices);
  return (
    <div className="grid grid-cols-2 gap-2">
      <Choice
        label="field"
        value={filter.field ?? ""}
        onChoose={(name) => onFilter({ ...filter, field: isFieldName(name) ? name : null })}
      >
        <option value="">all fields</option>
        {Object.keys(fields)
          .filter(isFieldName)
          .map((field) => (
            <option key={field} value={field}>
              {fieldTitle(field)}
            </option>
          ))}
      </Choice>
      <Choice
        label="device"
        value={filter.device ?? ""}
        onChoose={(device) => onFilter({ ...filter, device: device || null })}
      >
        <option value="">all devices</option>
        {devices.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Choice>
    </div>
  );
}

function Choice(props: {
  label: string;
  value: string;
  onChoose: (value: string) => void;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="sr-only">
        {props.label}
      </label>
      <select
        id={id}
        className={classNames(
          "block min-h-9 w-full truncate rounded-field border border-line-strong bg-well px-2 text-ink text-sm",
          "transition-colors hover:border-muted",
        )}
        value={props.value}
        onChange={(event) => props.onChoose(event.currentTarget.value)}
      >
        {props.children}
      </select>
    </div>
  );
}
