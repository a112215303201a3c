import { namedModels, type WeightMap } from "../../contract/index.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { narrowArithmetics } from "../plan/recipeFindings.ts";
import { formatRecipe } from "../recipe/formatRecipe.ts";
import { formatString } from "../recipe/scalar.ts";
import { escapeMarkdown, fence, readLicence, repositoryName } from "./cardText.ts";
import { STUDIO } from "./version.ts";

/** Every model's mean share over the merged elements that are measured; null where none is. */
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
  options: { readonly mergekit: boolean },
): Promise<string> {
  const { method, recipe, keys, models, template } = plan;
  const named = [
    ...(method.base === "none" || recipe.base === undefined
      ? []
      : [[recipe.base, template] as const]),
    ...keys.map((key, i) => [key, models[i]!] as const),
  ];
  const licences = await Promise.all(
    named.map(async ([key, checkpoint]) => [key, await readLicence(checkpoint)] as const),
  );
  const stated = new Set(licences.map(([, licence]) => licence).filter((it) => it !== null));
  const bases = new Set(namedModels(recipe).map(repositoryName));
  const front = [
    "---",
    "base_model:",
    ...[...bases].map((base) => `- ${formatString(base)}`),
    "base_model_relation: merge",
    "library_name: transformers",
    "tags:",
    "- merge",
    ...(options.mergekit ? ["- mergekit"] : []),
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
