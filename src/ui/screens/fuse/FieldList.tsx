import type { ReactNode } from "react";
import { FieldInput } from "./FieldInput.tsx";
import type { Field } from "./fields.ts";

interface FieldListProps<Settings> {
  readonly fields: readonly Field<keyof Settings>[];
  readonly settings: Settings;
  /** The profile's settings. */
  readonly usual: Settings;
  /** What the fold is called. */
  readonly more: string;
  readonly onChange: <Key extends keyof Settings>(key: Key, next: Settings[Key]) => void;
  /** Stands first in the fold. */
  readonly children?: ReactNode;
}

/** Settings one below the other; most of them are folded away. */
export function FieldList<Settings>(props: FieldListProps<Settings>) {
  const { fields, settings, usual, more, onChange, children } = props;
  const inputs = (advanced: boolean) =>
    fields
      .filter((field) => field.advanced === advanced)
      .map((field) => (
        <FieldInput
          key={String(field.key)}
          field={field}
          value={settings[field.key]}
          usual={usual[field.key]}
          // A field's options and bounds are those of its setting.
          onChange={(next) => onChange(field.key, next as Settings[typeof field.key])}
        />
      ));
  const changed = fields.filter(({ advanced, key }) => advanced && settings[key] !== usual[key]);
  return (
    <>
      <div className="settings">{inputs(false)}</div>
      <details className="fold">
        <summary>
          <span className="small">{more}</span>
          <span className="small faint num">
            {changed.length > 0 ? `${changed.length} changed` : "as usual"}
          </span>
        </summary>
        <div className="settings">
          {children}
          {inputs(true)}
        </div>
      </details>
    </>
  );
}
