import {
  allowsValue,
  EngineError,
  type FusionProfile,
  type SettingsOf,
  type SettingTable,
  sayRange,
  settingsByProfile,
} from "../contract/index.ts";

/**
 * The settings of a request, or of something stored, with the profile's value for those that it does
 * not have: an earlier version did not know them. `usage` names the first that is out of range.
 */
export function checkSettings<Table extends SettingTable>(
  table: Table,
  stated: Partial<SettingsOf<Table>>,
  { profile, of }: { readonly profile: FusionProfile; readonly of: string },
): SettingsOf<Table> {
  const settings = completeSettings(table, stated, profile);
  for (const [name, card] of Object.entries(table)) {
    const value: unknown = settings[name];
    if (allowsValue(card, value)) continue;
    throw new EngineError("usage", `${of}'s ${name} is ${value}; it must be ${sayRange(card)}.`, {
      setting: name,
      value: String(value),
    });
  }
  return settings;
}

/** What is stated, and the profile's value for what is not. */
export function completeSettings<Table extends SettingTable>(
  table: Table,
  stated: Partial<SettingsOf<Table>>,
  profile: FusionProfile,
): SettingsOf<Table> {
  return { ...settingsByProfile(table)[profile], ...stated };
}
