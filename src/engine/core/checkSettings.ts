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
 * Checked settings of a request or a stored row, completed with the profile's values for settings
 * that earlier versions lacked. `usage` names the first that is out of range.
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

/** Given settings, completed with the profile's values. */
export function completeSettings<Table extends SettingTable>(
  table: Table,
  stated: Partial<SettingsOf<Table>>,
  profile: FusionProfile,
): SettingsOf<Table> {
  return { ...settingsByProfile(table)[profile], ...stated };
}
