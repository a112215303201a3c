import { MultiSelect, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { allowsValue, type SettingCard, type SettingValue } from "../../engine/contract/index.ts";
import { isSameValue, sayValue } from "./fields.ts";

interface FieldInputProps {
  readonly card: SettingCard;
  readonly value: SettingValue;
  /** Value of the profile; other values are marked as changed. */
  readonly usual: SettingValue;
  readonly onChange: (next: SettingValue) => void;
}

/** Input for one setting, with the profile's value. */
export function FieldInput({ card, value, usual, onChange }: FieldInputProps) {
  const changed = !isSameValue(value, usual);
  const description = (
    <>
      {card.help}
      {changed && (
        <span className="setting-changed"> Changed; usually {sayValue(card, usual)}.</span>
      )}
    </>
  );
  const common = { label: card.label, description, size: "xs" } as const;
  const set = (next: SettingValue) => allowsValue(card, next) && onChange(next);
  return (
    <div className="setting" data-changed={changed || undefined}>
      {(card.kind === "number" || card.kind === "whole") && (
        <NumberInput
          {...common}
          min={card.min}
          max={card.max}
          step={card.step}
          clampBehavior="strict"
          allowDecimal={card.kind === "number"}
          placeholder={card.empty ?? ""}
          value={value === null ? "" : Number(value)}
          onChange={(next) => set(next === "" ? null : next)}
        />
      )}
      {card.kind === "choice" && (
        <Select
          {...common}
          data={choicesOf(card)}
          value={String(value ?? NOTHING)}
          allowDeselect={false}
          onChange={(next) => next !== null && set(next === NOTHING ? null : next)}
        />
      )}
      {card.kind === "flag" && (
        <Switch
          {...common}
          checked={value === true}
          onChange={({ currentTarget }) => set(currentTarget.checked)}
        />
      )}
      {card.kind === "name" && (
        <TextInput
          {...common}
          maxLength={card.most}
          placeholder={card.empty ?? ""}
          value={String(value ?? "")}
          onChange={({ currentTarget }) => set(currentTarget.value || null)}
        />
      )}
      {card.kind === "list" && (
        <MultiSelect
          {...common}
          data={[...card.options]}
          value={Array.isArray(value) ? [...value] : []}
          onChange={set}
        />
      )}
    </div>
  );
}

/** Option that stands for null in a list of choices. */
const NOTHING = "";

function choicesOf({ options, empty }: SettingCard & { readonly kind: "choice" }) {
  const words = Object.entries(options).map(([value, label]) => ({ value, label }));
  return empty === undefined ? words : [{ value: NOTHING, label: empty }, ...words];
}
