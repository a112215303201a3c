import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { sortCompanions } from "../../checkpoint/companions.ts";
import { rewriteConfig } from "../../checkpoint/config.ts";
import type { OutputDType, Recipe, WeightMap } from "../../contract/index.ts";
import { type ByteSource, bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { isOutputDType, torchName } from "../../core/tensor/dtype.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { findDifference, findRepeated, narrowArithmetics } from "../plan/recipeFindings.ts";
import { formatRecipe } from "../recipe/formatRecipe.ts";
import { hasProfiles } from "../recipe/profiles.ts";
import { methods } from "../registry.ts";
import { chooseChatTemplate, moveIds, replaceTokenizer } from "../vocabulary/resultTokenizer.ts";
import { formatModelCard } from "./modelCard.ts";
import { STUDIO } from "./version.ts";

const inMemory = (text: string): ByteSource => bytesInMemory(new TextEncoder().encode(text));

/** Dtype of all merged tensors; null where there are several or none. */
function commonDType({ outputs }: Plan): OutputDType | null {
  const dtypes = new Set(
    outputs.filter(({ action }) => action === "merge").map(({ dtype }) => dtype),
  );
  const [dtype] = dtypes;
  return dtypes.size === 1 && dtype !== undefined && isOutputDType(dtype) ? dtype : null;
}

function countParameters({ tensors }: Checkpoint): number {
  let count = 0;
  for (const { elementCount } of tensors.values()) count += elementCount;
  return count;
}

/** Sentence that says in which arithmetic the weights were computed. */
function describeArithmetic({ outputs }: Pick<Plan, "outputs">): string {
  const narrow = [...narrowArithmetics(outputs)].map(torchName);
  if (narrow.length === 0) return "float32, rounded once to the output dtype, to nearest even";
  return `${narrow.join(" or ")}, every step rounded to nearest even, as mergekit computes`;
}

/**
 * recipe.json: the recipe with the resolved method, models, arithmetic and version behind a result.
 */
function formatRecipeJson(plan: Plan, name: string): string {
  const { method, recipe, global, keys, models, template, outputs, configChanges } = plan;
  const describe = (key: string, checkpoint: Checkpoint) => ({
    key,
    name: checkpoint.name,
    architecture: checkpoint.config?.architecture ?? null,
    parameters: countParameters(checkpoint),
  });
  const document = {
    format: 1,
    tool: STUDIO.name,
    version: STUDIO.version,
    name,
    recipe,
    method: { id: method.id, title: method.title, paper: method.paper.url, parameters: global },
    arithmetic: describeArithmetic(plan),
    base: recipe.base === undefined ? null : describe(recipe.base, template),
    models: keys.map((key, i) => describe(key, models[i]!)),
    output: {
      parameters: outputs.reduce(
        (sum, { shape }) => sum + shape.reduce((n, axis) => n * axis, 1),
        0,
      ),
      tensors: outputs.length,
      dtype: commonDType(plan),
      configChanges,
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Whether models have more rows of tokens than are merged, which mergekit refuses without a flag. */
function hasUnequalRows({ action, elementCount, base, models }: OutputTensor): boolean {
  const read = base ? [base, ...models] : models;
  return action === "merge" && read.some((tensor) => tensor.elementCount !== elementCount);
}

/** Whether mergekit has the method of a stage, in the variant that it is merged by. */
function isMergekits({ method, parameters, extraTensors, fillNanRows }: Recipe): boolean {
  if (extraTensors || fillNanRows || parameters.profile === "paper") return false;
  return methods.get(method)?.mergekit === true;
}

/** The recipe without keys that mergekit does not know: its random draws differ whatever the seed. */
function inMergekitsKeys({
  allowArchitectureMismatch: _,
  copyCode: __,
  ...recipe
}: Recipe): Recipe {
  const { profile: ___, seed: ____, draws: _____, ...parameters } = recipe.parameters;
  return { ...recipe, parameters };
}

/**
 * Whether mergekit gives the same numbers: it has the method, and all models with all their rows.
 */
function hasMergekitsNumbers({ method, global, recipe, outputs, configChanges }: Plan): boolean {
  const { stages = [] } = recipe;
  if (stages.some((stage) => !isMergekits(stage.recipe))) return false;
  if (!method.mergekit || findRepeated(recipe) !== null) return false;
  if (configChanges.vocabSize !== undefined && !recipe.tokenizer) return false;
  if (recipe.extraTensors || recipe.fillNanRows) return false;
  if (outputs.some(hasUnequalRows)) return false;
  if (!hasProfiles(method) || global.profile === "mergekit") return true;
  return global.profile === "paper" && findDifference(method, outputs) === null;
}

/**
 * The recipe as mergekit would have to be given it for the same result, or null where mergekit has no
 * such method or does otherwise. Where the studio computed in float32, so does mergekit: `dtype`.
 */
function formatMergekitConfig(plan: Plan): string | null {
  if (!hasMergekitsNumbers(plan)) return null;
  // Merging different architectures is a flag of mergekit's command line: --allow-crimes.
  const own = inMergekitsKeys(plan.recipe);
  const stages = own.stages?.map((stage) => ({ ...stage, recipe: inMergekitsKeys(stage.recipe) }));
  const recipe: Recipe = { ...own, ...(stages && { stages }) };
  if (narrowArithmetics(plan.outputs).size > 0) return formatRecipe(recipe);
  const common = commonDType(plan);
  const outDtype = recipe.outDtype ?? recipe.dtype ?? (common && torchName(common));
  return formatRecipe({
    ...recipe,
    dtype: "float32",
    ...(outDtype ? { outDtype } : {}),
  });
}

/**
 * Every file of the result beside its weights: config.json with what changed, the tokenizer that the
 * recipe asks for, other companions byte for byte from the template, recipe.json, mergekit_config.yml
 * where mergekit can express the recipe, and a model card. The same plan, name and map give the same bytes.
 */
export async function makeDocuments(
  plan: Plan,
  options: { readonly name: string; readonly map: WeightMap | null },
): Promise<FileTree> {
  const { template, configChanges, recipe, vocabulary, models, bases } = plan;
  const files = new Map<string, ByteSource>();
  if (template.config) {
    const { text } = template.config;
    const dtype = commonDType(plan);
    const moved = moveIds(template, vocabulary, text, "config.json");
    const fields = [...(configChanges.fields ?? []), ...moved];
    const changes = { ...configChanges, fields, ...(dtype ? { dtype } : {}) };
    files.set("config.json", inMemory(rewriteConfig(text, changes)));
  }
  const { copied } = sortCompanions(template, { code: recipe.copyCode === true });
  const named = new Set([template, ...bases, ...models].map((each) => each.files));
  const chatTemplate = await chooseChatTemplate(recipe, named);
  const beside = await replaceTokenizer(copied, template, vocabulary, chatTemplate);
  for (const [path, source] of beside) files.set(path, source);
  const mergekit = formatMergekitConfig(plan);
  if (mergekit !== null) files.set("mergekit_config.yml", inMemory(mergekit));
  files.set("recipe.json", inMemory(formatRecipeJson(plan, options.name)));
  const card = await formatModelCard(plan, options.name, options.map, {
    mergekit: mergekit !== null,
  });
  files.set("README.md", inMemory(card));
  if (plan.shards.index !== null) {
    files.set(plan.shards.indexPath, inMemory(plan.shards.index));
  }
  return files;
}
