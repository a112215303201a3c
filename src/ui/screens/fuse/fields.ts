import {
  FUSION_SETTINGS,
  type FusionSettings,
  type SettingCard,
  type SettingsOf,
  type SettingTable,
  type SettingValue,
} from "../../../engine/contract/index.ts";

/** One setting as a form asks for it. */
export interface Field<Key> {
  readonly key: Key;
  readonly card: SettingCard;
}

/**
 * The fields of a form, in the table's order: all settings that are of use beside the present ones, but
 * for `apart`, which the form draws in a way of its own.
 */
export function formFields<Table extends SettingTable>(
  table: Table,
  settings: SettingsOf<Table>,
  apart: keyof Table,
): readonly Field<keyof Table & string>[] {
  return Object.entries(table).flatMap(([key, card]) => {
    const { only } = card;
    const isOfUse = !only || settings[only.setting] === only.is;
    return key !== apart && isOfUse ? [{ key, card }] : [];
  });
}

/** The rules of a fusion that are not as its profile has them. */
export function changedRules(
  settings: FusionSettings,
  usual: FusionSettings,
): readonly Field<keyof FusionSettings>[] {
  return formFields(FUSION_SETTINGS, settings, "profile").filter(
    ({ key }) => !isSameValue(settings[key], usual[key]),
  );
}

/** Whether two values of a setting are equal; a list's order says nothing. */
export function isSameValue(one: SettingValue, other: SettingValue): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((word) => other.includes(word));
}

/** A setting's value as a form shows it. */
export function sayValue(card: SettingCard, value: SettingValue): string {
  if (value === null) return card.empty ?? "none";
  if (card.kind === "flag") return value ? "on" : "off";
  if (card.kind === "choice") return card.options[String(value)] ?? String(value);
  return Array.isArray(value) ? value.join(", ") : String(value);
}
