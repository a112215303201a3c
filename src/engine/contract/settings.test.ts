import { describe, expect, test } from "vitest";
import { FUSION_SETTINGS } from "./fusionSettings.ts";
import { allowsValue, FUSION_PROFILES, type SettingTable, settingsByProfile } from "./settings.ts";
import { TRAINING_SETTINGS } from "./trainingSettings.ts";

const TABLES: readonly (readonly [string, SettingTable])[] = [
  ["fusion", FUSION_SETTINGS],
  ["training", TRAINING_SETTINGS],
];

describe.each(TABLES)("the table of the %s", (_, table) => {
  test.each(FUSION_PROFILES)("allows what the profile %s sets", (profile) => {
    const settings = settingsByProfile(table)[profile];
    const refused = Object.keys(table).filter((name) => !allowsValue(table[name]!, settings[name]));
    expect(refused).toEqual([]);
  });

  test("has labels of their own, sentences, and names that stand for themselves", () => {
    const cards = Object.entries(table);
    expect(new Set(cards.map(([, { label }]) => label)).size).toBe(cards.length);
    for (const [name, { help, only }] of cards) {
      expect(help).toMatch(/^[A-Z0-9Aε].*\.$/);
      expect(name).toMatch(/^[a-z][a-zA-Z0-9]*$/);
      if (only) expect(allowsValue(table[only.setting]!, only.is)).toBe(true);
    }
  });
});

test.each([
  ["topK", 0, 65, 1.5, Number.NaN, "10", null],
  ["temperature", 0, -1, Number.POSITIVE_INFINITY, 1001, "1", undefined],
  ["fusion", "maxce", "", "constructor", 1, null],
  ["bf16", "on", 1, null],
] as const)("%s cannot be anything else", (name, ...values) => {
  const card = FUSION_SETTINGS[name];
  expect(values.filter((value) => allowsValue(card, value))).toEqual([]);
});

test("a list has one of its words at least, and null stands only where it means something", () => {
  const { modules, steps, epochs, dtype } = TRAINING_SETTINGS;
  expect(allowsValue(modules, ["q", "head"])).toBe(true);
  for (const value of [[], ["q", "x"], "q", null]) expect(allowsValue(modules, value)).toBe(false);
  expect([steps, dtype, epochs].map((card) => allowsValue(card, null))).toEqual([
    true,
    true,
    false,
  ]);
});
