import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { EngineError, type WeightMap } from "../../contract/index.ts";
import { readAll } from "../../core/bytes.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { narrowArithmetics } from "../plan/recipeFindings.ts";
import { formatRecipe } from "../recipe/formatRecipe.ts";
import { formatString } from "../recipe/scalar.ts";
import { readYaml } from "../recipe/yamlNodes.ts";
import { STUDIO } from "./version.ts";

const README_LIMIT = 1 << 20;
const FRONT_MATTER = /^\uFEFF?---\r?\n([\s\S]{0,65536}?)\r?\n---[ \t]*(\r?\n|$)/;
const LICENCE = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** Licence that the front matter of a checkpoint's README names, or null. */
async function readLicence({ files }: Checkpoint): Promise<string | null> {
  const source = files.get("README.md");
  if (!source || source.byteLength > README_LIMIT) return null;
  const text = new TextDecoder().decode(await readAll(source, README_LIMIT));
  const front = FRONT_MATTER.exec(text)?.[1];
  if (front === undefined) return null;
  try {
    const yaml = readYaml(front);
    const stated = yaml.entries(yaml.root)?.find(({ key }) => key === "license");
    const licence = stated ? yaml.scalar(stated.value)?.text : undefined;
    return licence !== undefined && LICENCE.test(licence) ? licence : null;
  } catch (error) {
    // A README that cannot be read is no reason to refuse a merge.
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/** Last part of a model's name or path, which a repository on the Hub would be called. */
function shortName(model: string): string {
  const parts = model.split(/[\\/]+/).filter((part) => part !== "" && part !== ".");
  return parts.at(-1) ?? model;
}

/** Text escaped so that Markdown shows it unchanged, on one line. */
function escapeMarkdown(text: string): string {
  const oneLine = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return oneLine.replace(/[\\`*_{}[\]()#+!|<>~&$]/g, "\\$&");
}

/** Fenced code block whose fence is longer than any in its content. */
function fence(language: string, content: string): string {
  let longest = 2;
  for (const [run] of content.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const marks = "`".repeat(longest + 1);
  return `${marks}${language}\n${content}${marks}`;
}

/** Mean share of each model over all merged elements that are measured; null where none is. */
function meanShares(map: WeightMap): readonly number[] | null {
  const cells = map.cells.filter(({ merged, shares }) => merged && shares !== null);
  const elements = cells.reduce((sum, { elementCount }) => sum + elementCount, 0);
  if (elements === 0) return null;
  return map.models.map(
    (_, m) => cells.reduce((sum, cell) => sum + cell.shares![m]! * cell.elementCount, 0) / elements,
  );
}

function formatShares(map: WeightMap): readonly string[] {
  const shares = meanShares(map);
  if (!shares) return [];
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    "## Shares",
    "",
    "The mean coefficient on each model's weights, over all merged parameters; the base's is what remains.",
    "",
    "| Model | Mean share |",
    "| --- | ---: |",
    ...map.models.map((model, m) => `| ${escapeMarkdown(model)} | ${percent(shares[m]!)} |`),
    "",
  ];
}

function formatLicences(named: readonly (readonly [string, string | null])[]): readonly string[] {
  const stated = named.filter((entry): entry is [string, string] => entry[1] !== null);
  if (new Set(stated.map(([, licence]) => licence)).size < 2) return [];
  return [
    "## Licences",
    "",
    "The sources name different licences; check what they ask for before you publish this model.",
    "",
    ...stated.map(([name, licence]) => `- ${escapeMarkdown(name)}: ${licence}`),
    "",
  ];
}

/** README.md with the Hub's front matter; names are escaped. */
export async function formatModelCard(
  plan: Plan,
  name: string,
  map: WeightMap | null,
): Promise<string> {
  const { method, recipe, keys, models, donor } = plan;
  const named = [
    ...(method.base === "none" || recipe.base === undefined ? [] : [[recipe.base, donor] as const]),
    ...keys.map((key, i) => [key, models[i]!] as const),
  ];
  const licences = await Promise.all(
    named.map(async ([key, checkpoint]) => [key, await readLicence(checkpoint)] as const),
  );
  const stated = new Set(licences.map(([, licence]) => licence).filter((it) => it !== null));
  const bases = new Set(
    [...(recipe.base === undefined ? [] : [recipe.base]), ...recipe.models.map((m) => m.model)].map(
      shortName,
    ),
  );
  const front = [
    "---",
    "base_model:",
    ...[...bases].map((base) => `- ${formatString(base)}`),
    "base_model_relation: merge",
    "library_name: transformers",
    "tags:",
    "- merge",
    ...(stated.size === 1 ? [`license: ${formatString([...stated][0]!)}`] : []),
    "---",
  ];
  const list = [
    ...(method.base === "none" || recipe.base === undefined
      ? []
      : [`- ${escapeMarkdown(recipe.base)} (base)`]),
    ...keys.map((key) => `- ${escapeMarkdown(key)}`),
  ];
  const { title, summary, paper } = method;
  return [
    ...front,
    "",
    `# ${escapeMarkdown(name)}`,
    "",
    `A merge made with ${STUDIO.name} ${STUDIO.version}.`,
    "",
    "## Method",
    "",
    `**${title}** ([${paper.label}](${paper.url})). ${summary}`,
    narrowArithmetics(plan.outputs).size > 0
      ? "Computed in the recipe's dtype, every step rounded, as mergekit does."
      : "Computed in float32 and rounded once to the output dtype.",
    "",
    "## Models",
    "",
    ...list,
    "",
    ...(map ? formatShares(map) : []),
    ...formatLicences(licences),
    "## Recipe",
    "",
    fence("yaml", formatRecipe(recipe)),
    "",
  ].join("\n");
}
