import { companionFiles } from "../checkpoint/companions.ts";
import type { MixtureExpert } from "../contract/index.ts";
import { type ByteSource, bytesInMemory, type FileTree } from "../core/bytes.ts";
import { formatString } from "../merge/recipe/scalar.ts";
import { escapeMarkdown, fence, readLicence, repositoryName } from "../merge/run/cardText.ts";
import { STUDIO } from "../merge/run/version.ts";
import { readsPrompts } from "./checkMixture.ts";
import type { PlannedMixture } from "./planMixture.ts";

const inMemory = (text: string): ByteSource => bytesInMemory(new TextEncoder().encode(text));

/**
 * Every file of a mixture beside its weights: config.json, the base's tokenizer and other companions
 * byte for byte, mergekit_moe_config.yml as it was given, and a model card. The same plan, name and
 * notes give the same bytes.
 */
export async function mixtureDocuments(
  plan: PlannedMixture,
  options: { readonly name: string; readonly yaml: string; readonly notes: readonly string[] },
): Promise<FileTree> {
  const files = new Map<string, ByteSource>();
  files.set("config.json", inMemory(plan.configFile.text));
  for (const [path, source] of companionFiles(plan.models.base)) files.set(path, source);
  files.set("mergekit_moe_config.yml", inMemory(options.yaml));
  files.set("README.md", inMemory(await formatCard(plan, options)));
  if (plan.shards.index !== null) {
    files.set(plan.shards.indexPath, inMemory(plan.shards.index));
  }
  return files;
}

/** README.md with the Hub's front matter; names are escaped. */
async function formatCard(
  { card, config, models }: PlannedMixture,
  {
    name,
    yaml,
    notes,
  }: { readonly name: string; readonly yaml: string; readonly notes: readonly string[] },
): Promise<string> {
  const named = [
    config.base,
    ...[...config.experts, ...config.sharedExperts].map((it) => it.model),
  ];
  const all = [models.base, ...models.experts, ...models.shared];
  const licences = new Set((await Promise.all(all.map(readLicence))).filter((it) => it !== null));
  const gates = readsPrompts(config)
    ? `made from prompts (\`${config.gateMode}\`), not trained`
    : `drawn at random (\`${config.gateMode}\`, seed ${config.seed}): train them before use`;
  return [
    "---",
    "base_model:",
    ...[...new Set(named.map(repositoryName))].map((each) => `- ${formatString(each)}`),
    "base_model_relation: merge",
    "library_name: transformers",
    "tags:",
    "- moe",
    "- merge",
    "- mergekit",
    ...(licences.size === 1 ? [`license: ${formatString([...licences][0]!)}`] : []),
    "---",
    "",
    `# ${escapeMarkdown(name)}`,
    "",
    `A mixture of experts (${card.architecture}) made with ${STUDIO.name} ${STUDIO.version}. Each token goes to ${config.expertsPerToken} of ${config.experts.length} experts in every layer; the routers are ${gates}.`,
    "",
    ...notes.flatMap((note) => [note, ""]),
    "## Models",
    "",
    `- ${escapeMarkdown(config.base)} (base: everything but the experts)`,
    ...config.experts.map((expert, i) => `- ${describe(expert)} (expert ${i})`),
    ...config.sharedExperts.map((expert) => `- ${describe(expert)} (shared expert)`),
    "",
    ...(licences.size > 1
      ? [
          `The sources name different licences (${[...licences].join(", ")}); check what they ask for before you publish this model.`,
          "",
        ]
      : []),
    "## Config",
    "",
    fence("yaml", yaml.endsWith("\n") ? yaml : `${yaml}\n`),
    "",
  ].join("\n");
}

function describe({ model, noiseScale, residualScale }: MixtureExpert): string {
  const changes = [
    ...(noiseScale ? [`noise of ${noiseScale}`] : []),
    ...(residualScale === undefined ? [] : [`output times ${residualScale}`]),
  ];
  return [escapeMarkdown(model), ...changes].join(", ");
}
