import type { SettingsOf, SettingTable, SettingValue } from "../../engine/contract/index.ts";
import { FieldInput } from "./FieldInput.tsx";
import { formFields, isSameValue } from "./fields.ts";
import "./fields.css";

interface FieldListProps<Table extends SettingTable> {
  readonly table: Table;
  readonly settings: SettingsOf<Table>;
  /** Settings of the profile. */
  readonly usual: SettingsOf<Table>;
  /** Setting that another part of the form asks for, if any. */
  readonly apart?: keyof Table;
  /** Label of the collapsible part. */
  readonly more: string;
  readonly onChange: <Key extends keyof Table>(key: Key, next: SettingsOf<Table>[Key]) => void;
}

/** Inputs for a table's settings, most of them collapsed. */
export function FieldList<Table extends SettingTable>(props: FieldListProps<Table>) {
  const { table, settings, usual, apart, more, onChange } = props;
  const fields = formFields(table, settings, apart);
  const pick = (of: SettingsOf<Table>, key: keyof Table): SettingValue => of[key];
  const inputs = (basic: boolean) =>
    fields
      .filter(({ card }) => (card.basic ?? false) === basic)
      .map(({ key, card }) => (
        <FieldInput
          key={key}
          card={card}
          value={pick(settings, key)}
          usual={pick(usual, key)}
          // The input only gives values that its card allows, which the setting's type says.
          onChange={(next) => onChange(key, next as SettingsOf<Table>[typeof key])}
        />
      ));
  const changed = fields.filter(
    ({ card, key }) => !card.basic && !isSameValue(pick(settings, key), pick(usual, key)),
  );
  return (
    <>
      <div className="settings">{inputs(true)}</div>
      <details className="fold">
        <summary>
          <span className="small">{more}</span>
          <span className="small faint num">
            {changed.length > 0 ? `${changed.length} changed` : "as usual"}
          </span>
        </summary>
        <div className="settings">{inputs(false)}</div>
      </details>
    </>
  );
}
