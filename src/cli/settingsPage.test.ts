import { expect, test } from "vitest";
import {
  EXTRACTION_SETTINGS,
  FUSION_PROFILES,
  FUSION_SETTINGS,
  type SettingCard,
  type SettingTable,
  type SettingValue,
  TRAINING_SETTINGS,
} from "../engine/contract/index.ts";
import { keyOf } from "../engine/pipeline/pipelineFile.ts";
import { optionOf } from "./settingOptions.ts";

const INTRODUCTION = `# Settings

Made from the tables of settings by \`src/cli/settingsPage.test.ts\`; [adding-a-setting.md](adding-a-setting.md) says how. A key is what a [pipeline's file](pipeline.md) writes under \`fuse:\` or \`train:\`, an option what \`studio fuse\` or \`studio distill\` takes. \`profile:\` and \`--profile\` name whose rules and defaults hold: ${FUSION_PROFILES.join(", ")}. Ends of ranges are included.
`;

function rangeOf(card: SettingCard): string {
  switch (card.kind) {
    case "number":
      return `${card.min} … ${card.max}`;
    case "whole":
      return `${card.min} … ${card.max} ${card.unit ?? ""}`.trim();
    case "choice":
      return Object.keys(card.options).join(", ");
    case "flag":
      return "true, false";
    case "list":
      return `some of ${card.options.join(", ")}`;
    case "name":
      return `at most ${card.most} characters`;
    default:
      return card satisfies never;
  }
}

function usualOf({ default: usual, profiles, empty }: SettingCard): string {
  const say = (value: SettingValue) =>
    value === null ? `null: ${empty?.toLowerCase()}` : [value].flat().join(", ");
  const byValue = new Map<string, string[]>();
  for (const id of FUSION_PROFILES) {
    const value = profiles?.[id];
    if (value === undefined) continue;
    byValue.set(say(value), [...(byValue.get(say(value)) ?? []), id]);
  }
  const others = [...byValue].map(([value, ids]) => `${ids.join(", ")}: ${value}`);
  return [say(usual), ...others].join("<br>");
}

function tableOf(table: SettingTable): string {
  const settings = Object.entries(table).filter(([name]) => name !== "profile");
  const rows = settings.map(([name, card]) => [
    `\`${keyOf(name)}\``,
    `\`--${optionOf(name, card)}\``,
    rangeOf(card),
    usualOf(card),
    card.only
      ? `${card.help} Of use where ${keyOf(card.only.setting)} is ${card.only.is}.`
      : card.help,
  ]);
  const head = ["key", "option", "values", "default", "what it does"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

test("docs/settings.md is what the tables say", async () => {
  const page = `${INTRODUCTION}
## Fusion

${tableOf(FUSION_SETTINGS)}

## Training

${tableOf(TRAINING_SETTINGS)}

## Extraction

Of \`studio extract\`; there is no key and no profile of these.

${tableOf(EXTRACTION_SETTINGS)}
`;
  await expect(page).toMatchFileSnapshot("../../docs/settings.md");
});
