import { type Finding, type OutputDType, type Recipe, sourceLists } from "../../contract/index.ts";
import { torchName } from "../../core/tensor/dtype.ts";
import type { MergeMethod } from "../method.ts";
import { hasProfiles } from "../recipe/profiles.ts";
import { arithmeticOf } from "./arithmetic.ts";
import type { OutputTensor } from "./outputTensor.ts";
import { finding } from "./sources.ts";

/** In one sentence: what mergekit and the paper do otherwise here, and which the merge follows. */
function compareProfiles(
  method: MergeMethod,
  { parameters }: Recipe,
  outputs: readonly OutputTensor[],
): readonly Finding[] {
  const { profile } = parameters;
  if (!hasProfiles(method) || (profile !== "mergekit" && profile !== "paper")) return [];
  const [narrow] = narrowArithmetics(outputs);
  const differences = [
    findDifference(method, outputs),
    narrow &&
      `mergekit rounds every step to ${torchName(narrow)}, and the paper's profile computes in float32 and rounds once`,
  ];
  const difference = differences.filter((one) => one != null).join("; ");
  if (difference === "") return [];
  const message = `Profile ${profile}: ${difference}; "profile: ${profile === "paper" ? "mergekit" : "paper"}" gives the other numbers.`;
  return [finding("note", "info", message, { setting: "profile" })];
}

/** What mergekit 0.1.5 computes in float32 whatever the recipe's dtype is. */
const ALWAYS_FLOAT32 = ["linear", "slerp"];

/** In one sentence: a dtype that mergekit would compute in, where the studio does not follow it. */
function noteArithmetic(
  method: MergeMethod,
  recipe: Recipe,
  outputs: readonly OutputTensor[],
): readonly Finding[] {
  const { mergekit, roundsSteps, id } = method;
  if (!mergekit || roundsSteps || ALWAYS_FLOAT32.includes(id)) return [];
  const asked = outputs.map((output) =>
    narrowestOf({ ...method, roundsSteps: true }, recipe, output),
  );
  const narrow = asked.find((dtype) => dtype !== "F32");
  if (!narrow) return [];
  const message = `mergekit rounds every step of "${id}" to ${torchName(narrow)}; the studio computes it in float32 and rounds once, as mergekit does with "dtype: float32" and an "out_dtype".`;
  return [finding("note", "info", message)];
}

function narrowestOf(method: MergeMethod, recipe: Recipe, output: OutputTensor): OutputDType {
  if (output.action === "copy") return "F32";
  return arithmeticOf(method, recipe, { profile: "mergekit" }, output);
}

/** The dtypes narrower than float32 that merged tensors are computed in, step by step. */
export function narrowArithmetics(outputs: readonly OutputTensor[]): ReadonlySet<OutputDType> {
  const found = outputs.map(({ resolved: { arithmetic = "F32" } }) => arithmetic);
  return new Set(found.filter((dtype) => dtype !== "F32"));
}

/** Where mergekit's numbers differ from the paper's in any tensor, in words; null where in none. */
export function findDifference(
  { profilesDiffer }: MergeMethod,
  outputs: readonly OutputTensor[],
): string | null {
  for (const { action, resolved } of outputs) {
    const difference = action === "merge" ? (profilesDiffer?.(resolved) ?? null) : null;
    if (difference !== null) return difference;
  }
  return null;
}

/** mergekit knows a model by its name, so that it cannot take one twice. */
export function findRepeated(recipe: Recipe): string | null {
  const lists = sourceLists(recipe).map((models) => models.map(({ model }) => model));
  return lists.flatMap((names) => names.filter((name, i) => names.indexOf(name) < i))[0] ?? null;
}

function noteBaseAlone({ base, models }: Recipe): readonly Finding[] {
  if (base === undefined || models.length === 0) return [];
  if (models.some(({ model }) => model !== base)) return [];
  return [finding("note", "info", `Only the base "${base}" is listed: the result is the base.`)];
}

function noteRepeated(method: MergeMethod, recipe: Recipe): readonly Finding[] {
  const repeated = method.mergekit ? findRepeated(recipe) : null;
  if (repeated === null) return [];
  const message = `"${repeated}" is listed more than once, which mergekit refuses; here each entry counts.`;
  return [finding("note", "info", message)];
}

/** What the plan says of a recipe, beside its settings. */
export function describeRecipe(
  method: MergeMethod,
  recipe: Recipe,
  outputs: readonly OutputTensor[],
): readonly Finding[] {
  return [
    ...noteRepeated(method, recipe),
    ...(method.base === "required" ? noteBaseAlone(recipe) : []),
    ...compareProfiles(method, recipe, outputs),
    ...noteArithmetic(method, recipe, outputs),
  ];
}
