import {
  allowsValue,
  EngineError,
  FUSION_PROFILES,
  type SettingCard,
  type SettingsOf,
  type SettingTable,
  sayRange,
} from "../engine/contract/index.ts";
import type { Call, Command } from "./command.ts";

/** Option of a setting: bad-rows for badRows. */
export function optionOf(name: string, { option }: SettingCard): string {
  return option ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Placeholder of an option's value in the help. */
const PLACEHOLDERS = {
  number: "X",
  whole: "N",
  choice: "NAME",
  flag: "on|off",
  list: "LIST",
  name: "NAME",
};

/** The option that names the profile. */
export const PROFILE_OPTION = {
  value: "NAME",
  help: `Whose rules and defaults: ${FUSION_PROFILES.join(", ")}; usually studio.`,
} as const;

/** Options of a command for a table's settings; absent ones take the profile's value. */
export function settingOptions(table: SettingTable): Command["options"] {
  return Object.fromEntries(
    Object.entries(table).map(([name, card]) => [
      optionOf(name, card),
      {
        value: PLACEHOLDERS[card.kind],
        help: `${card.help} ${sayValues(card)}; ${sayUsual(card)}.`,
      },
    ]),
  );
}

function sayValues(card: SettingCard): string {
  switch (card.kind) {
    case "number":
      return `From ${card.min} to ${card.max}`;
    case "whole":
      return `From ${card.min} to ${card.max}${card.unit ? ` ${card.unit}` : ""}`;
    case "choice":
      return Object.keys(card.options).join(", ");
    case "flag":
      return "on or off";
    case "list":
      return `Some of ${card.options.join(",")}`;
    case "name":
      return `At most ${card.most} characters`;
    default:
      return card satisfies never;
  }
}

function sayUsual({ default: usual, profiles, empty }: SettingCard): string {
  const words =
    usual === null
      ? empty?.toLowerCase()
      : typeof usual === "boolean"
        ? usual
          ? "on"
          : "off"
        : usual;
  return profiles ? `${words} unless the profile says otherwise` : `usually ${words}`;
}

/** Settings of a profile with the options' changes; `usage` names the wrong option. */
export function readSettings<Table extends SettingTable>(
  table: Table,
  options: Call["options"],
  usual: SettingsOf<Table>,
): SettingsOf<Table> {
  const settings: Record<string, unknown> = { ...usual };
  for (const [name, card] of Object.entries(table)) {
    const option = optionOf(name, card);
    const text = options[option];
    if (text !== undefined) settings[name] = readValue(card, text, option);
  }
  return settings as SettingsOf<Table>;
}

function readValue(card: SettingCard, text: string, option: string): unknown {
  const value = parseText(card, text);
  if (value !== null && allowsValue(card, value)) return value;
  const range = card.kind === "flag" ? "on or off" : sayRange(card);
  throw new EngineError("usage", `--${option} is "${text}"; it must be ${range}.`, { option });
}

function parseText(card: SettingCard, text: string): unknown {
  switch (card.kind) {
    case "number":
    case "whole":
      return text.trim() === "" ? Number.NaN : Number(text);
    case "choice":
    case "name":
      return text;
    case "flag":
      return text === "on" ? true : text === "off" ? false : null;
    case "list":
      return text.split(",").map((word) => word.trim());
    default:
      return card satisfies never;
  }
}
