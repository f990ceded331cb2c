"use client";

import { Fragment, type ReactNode } from "react";
import { classNames } from "@/lib/class-names";
import { jsonText } from "@/lib/format";
import { useSettings } from "@/sync";
import { splitField } from "@/sync/field-name";
import type { FieldName, FieldView, Json, SettingsSnapshot } from "@/sync/types";

/** The state as JSON. */
export function StateText() {
  const { snapshot } = useSettings();
  const names = new Map(snapshot.devices.map((device) => [device.id, device.name]));
  return (
    <div className="border-line border-t px-4 py-3 font-mono text-xs leading-5 sm:px-6">
      <Line indent={0}>{"{"}</Line>
      <Member name="epoch" value={snapshot.epoch} indent={1} />
      <Member name="revision" value={snapshot.revision} indent={1} />
      {blocksOf(snapshot.fields).map(([block, fields]) => (
        <Fragment key={block}>
          <Line indent={1}>
            <Name text={block} />
            {": {"}
          </Line>
          {fields.map(([field, view]) => (
            <Member
              key={field}
              name={splitField(field).key}
              value={view.value}
              indent={2}
              note={noteOf(view, names)}
            />
          ))}
          <Line indent={1}>{"},"}</Line>
        </Fragment>
      ))}
      <Line indent={0}>{"}"}</Line>
    </div>
  );
}

const indents = ["", "pl-3", "pl-6"] as const;

/** One line of JSON, and at its end where the value comes from. A long value wraps; a long name is cut. */
function Line({
  indent,
  note,
  children,
}: {
  indent: 0 | 1 | 2;
  note?: string | undefined;
  children: ReactNode;
}) {
  return (
    <p className={classNames("flex flex-wrap justify-between gap-x-3", indents[indent])}>
      <span className="break-words [overflow-wrap:anywhere]">{children}</span>
      {note && <span className="ml-auto max-w-full truncate text-muted">{note}</span>}
    </p>
  );
}

interface MemberProps {
  name: string;
  value: Json;
  indent: 1 | 2;
  note?: string;
}

function Member({ name, value, indent, note }: MemberProps) {
  return (
    <Line indent={indent} note={note}>
      <Name text={name} />
      {": "}
      <span className={typeof value === "string" ? "text-good" : "text-accent-strong"}>
        {jsonText(value)}
      </span>
      ,
    </Line>
  );
}

function Name({ text }: { text: string }) {
  return <span className="text-ink">{JSON.stringify(text)}</span>;
}

/** Where a value comes from: "r43 · Firefox.test6", "default", or an edit on its way. */
function noteOf(view: FieldView, names: ReadonlyMap<string, string>): string {
  switch (view.origin) {
    case "default":
      return view.stored ? `default, reset at r${view.stored.revision}` : "default";
    case "preview":
      return "being changed elsewhere";
    case "local":
      return "edit on its way";
    case "stored": {
      if (!view.stored) return "";
      const { revision, device } = view.stored;
      return `r${revision} ${names.get(device) ?? device}`;
    }
  }
}

/** The fields by block, in the order they are known. */
function blocksOf(fields: SettingsSnapshot["fields"]): [string, [FieldName, FieldView][]][] {
  const blocks = new Map<string, [FieldName, FieldView][]>();
  for (const [name, view] of Object.entries(fields)) {
    if (!view) continue;
    const field = name as FieldName; // the record's own key
    const { block } = splitField(field);
    const list = blocks.get(block) ?? [];
    list.push([field, view]);
    blocks.set(block, list);
  }
  return [...blocks];
}
