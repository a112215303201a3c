import {
  FUSION_SETTINGS,
  type FusionSettings,
  type SettingCard,
  type SettingsOf,
  type SettingTable,
  type SettingValue,
} from "../../engine/contract/index.ts";

/** A setting as a form shows it. */
export interface Field<Key> {
  readonly key: Key;
  readonly card: SettingCard;
}

/**
 * Fields of a form, in the table's order: all settings with an effect under the present ones,
 * except `apart`, if any, which the form draws itself.
 */
export function formFields<Table extends SettingTable>(
  table: Table,
  settings: SettingsOf<Table>,
  apart?: keyof Table,
): readonly Field<keyof Table & string>[] {
  return Object.entries(table).flatMap(([key, card]) => {
    const { only } = card;
    const isOfUse = !only || settings[only.setting] === only.is;
    return key !== apart && isOfUse ? [{ key, card }] : [];
  });
}

/** Settings of a fusion that differ from its profile. */
export function changedRules(
  settings: FusionSettings,
  usual: FusionSettings,
): readonly Field<keyof FusionSettings>[] {
  return formFields(FUSION_SETTINGS, settings, "profile").filter(
    ({ key }) => !isSameValue(settings[key], usual[key]),
  );
}

/** Whether two values of a setting are equal; the order of a list does not matter. */
export function isSameValue(one: SettingValue, other: SettingValue): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((word) => other.includes(word));
}

/** Value of a setting in words. */
export function sayValue(card: SettingCard, value: SettingValue): string {
  if (value === null) return card.empty ?? "none";
  if (card.kind === "flag") return value ? "on" : "off";
  if (card.kind === "choice") return card.options[String(value)] ?? String(value);
  return Array.isArray(value) ? value.join(", ") : String(value);
}
