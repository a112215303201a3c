import { NumberInput, Select, Switch } from "@mantine/core";
import { type Field, sayValue } from "./fields.ts";

interface FieldInputProps {
  readonly field: Field<unknown>;
  readonly value: unknown;
  /** The profile's value: what differs from it says so. */
  readonly usual: unknown;
  readonly onChange: (next: number | string | boolean | null) => void;
}

/** One setting, and what it usually is. */
export function FieldInput({ field, value, usual, onChange }: FieldInputProps) {
  const changed = value !== usual;
  const description = (
    <>
      {field.help}
      {changed && (
        <span className="setting-changed"> Changed; usually {sayValue(field, usual)}.</span>
      )}
    </>
  );
  const common = { label: field.label, description, size: "xs" } as const;
  return (
    <div className="setting" data-changed={changed || undefined}>
      {field.kind === "number" && (
        <NumberInput
          {...common}
          min={field.min}
          max={field.max}
          step={field.step}
          clampBehavior="strict"
          allowDecimal={!Number.isInteger(field.step)}
          placeholder={field.empty ?? ""}
          value={value === null ? "" : Number(value)}
          onChange={(next) => {
            if (typeof next === "number" && next >= field.min) onChange(next);
            else if (next === "" && field.empty) onChange(null);
          }}
        />
      )}
      {field.kind === "choice" && (
        <Select
          {...common}
          data={field.options.map(([id, name]) => ({ value: id, label: name }))}
          value={value === null ? "" : String(value)}
          allowDeselect={false}
          onChange={(next) => next !== null && onChange(next === "" ? null : next)}
        />
      )}
      {field.kind === "switch" && (
        <Switch
          {...common}
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
      )}
    </div>
  );
}
