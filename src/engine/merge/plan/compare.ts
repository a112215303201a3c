import { storedCard } from "../../checkpoint/checkpoint.ts";
import { countLayers } from "../../checkpoint/tensorRoles/depth.ts";
import { findEmbedding } from "../../checkpoint/tensorRoles/head.ts";
import type { DType, Finding, Recipe } from "../../contract/index.ts";
import { isObject } from "../../core/json.ts";
import { hasSlices } from "../recipe/sections.ts";
import { compareEmpty } from "./compareEmpty.ts";
import { compareNames } from "./compareNames.ts";
import { compareHeads } from "./heads.ts";
import type { OutputTensor } from "./outputTensor.ts";
import { finding, type Source, type Sources } from "./sources.ts";

/** Every checkpoint of the merge, the template first, each once. */
function distinct({ base, models, template }: Sources): readonly Source[] {
  const all = [template, ...(base ? [base] : []), ...models];
  return all.filter(
    // One model may be opened twice: as the template and as one of the models.
    (source, i) =>
      all.findIndex(
        ({ key, checkpoint }) => checkpoint === source.checkpoint || key === source.key,
      ) === i,
  );
}

/** Fields of config.json that shape the computation: other values mean other weights. */
const DECIDING = [
  ["num_attention_heads", "attention heads"],
  ["num_key_value_heads", "key-value heads"],
  ["head_dim", "elements a head"],
  ["intermediate_size", "elements in the feed-forward layer"],
] as const;
/** Fields that change what the weights mean a little; the template's are written. */
const TUNING = ["rope_theta", "rope_scaling", "rope_parameters", "hidden_act", "rms_norm_eps"];

const show = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));

function compareConfig(template: Source, other: Source, recipe: Recipe): readonly Finding[] {
  const mine = template.checkpoint.config;
  const theirs = other.checkpoint.config;
  const findings: Finding[] = [];
  const mismatch = (sentence: string) =>
    findings.push(finding("error", "mismatch", sentence, { source: other }));
  const [a, b] = [`"${template.key}"`, `"${other.key}"`];

  const layers = [countLayers(template.checkpoint), countLayers(other.checkpoint)] as const;
  if (layers[0] !== layers[1] && !hasSlices(recipe)) {
    mismatch(`${b} has ${layers[1]} layers and ${a} has ${layers[0]}: they cannot be merged.`);
  }
  if (!mine || !theirs) {
    if (!theirs) {
      const sentence = `${b} has no config.json: only names and shapes of its tensors are compared.`;
      findings.push(finding("warning", "missing-file", sentence, { source: other }));
    }
    return findings;
  }
  if (mine.architecture && theirs.architecture && mine.architecture !== theirs.architecture) {
    const about = { source: other, setting: "allow_architecture_mismatch" };
    const kinds = `${b} is a ${theirs.architecture} and ${a} a ${mine.architecture}`;
    if (recipe.allowArchitectureMismatch) {
      const sentence = `${kinds}: merged since the recipe allows it, and the result is a ${mine.architecture}.`;
      findings.push(finding("warning", "mismatch", sentence, about));
    } else {
      const sentence = `${kinds}: different architectures are not merged. If one was only relabelled and computes the same, say so in the recipe: "allow_architecture_mismatch: true" (mergekit's --allow-crimes).`;
      findings.push(finding("error", "mismatch", sentence, about));
    }
  }
  const { hiddenSize } = mine;
  if (hiddenSize !== null && theirs.hiddenSize !== null && hiddenSize !== theirs.hiddenSize) {
    mismatch(
      `${b} has a hidden size of ${theirs.hiddenSize} and ${a} one of ${hiddenSize}: they cannot be merged.`,
    );
  }
  for (const [field, words] of DECIDING) {
    const values = [mine.fields[field], theirs.fields[field]];
    if (values.every((value) => typeof value === "number") && values[0] !== values[1]) {
      mismatch(`${b} has ${values[1]} ${words} and ${a} has ${values[0]}: they cannot be merged.`);
    }
  }
  for (const field of TUNING) {
    const values = [mine.fields[field], theirs.fields[field]].map(show);
    if (values[0] !== values[1] && field in mine.fields && field in theirs.fields) {
      findings.push(
        finding(
          "warning",
          "mismatch",
          `"${field}" is ${values[1]!.slice(0, 200)} in ${b} and ${values[0]!.slice(0, 200)} in ${a}; the result says what ${a} says.`,
          { source: other },
        ),
      );
    }
  }
  return findings;
}

/** What was found quantised or factored: dequantised as it is read, or a reason not to merge. */
function compareQuantisation(source: Source): readonly Finding[] {
  const { config, quantised } = source.checkpoint;
  if (quantised.length === 0 && isObject(config?.fields.quantization_config)) {
    const sentence = `config.json of "${source.key}" speaks of a quantisation, but its weights are plain numbers: they are merged, and the result's config.json says nothing of it.`;
    return [finding("note", "info", sentence, { source })];
  }
  return quantised.map(({ format, count, example, refusal }) => {
    const weights =
      count === 1 ? `the weight "${example}"` : `${count} weights, such as "${example}",`;
    if (refusal !== null) {
      const sentence = `"${source.key}": ${weights} cannot be merged: ${refusal}.`;
      return finding("error", "not-mergeable", sentence, { source, tensor: example });
    }
    const sentence = `"${source.key}" stores ${weights} as ${format}: they are dequantised as they are read, and the result is written without scales.`;
    return finding("note", "info", sentence, { source });
  });
}

/** One note a model: how many of its tensors are stored in another dtype than the template's. */
function compareDTypes(template: Source, other: Source): readonly Finding[] {
  const pairs = new Map<string, number>();
  for (const [name, tensor] of other.checkpoint.tensors) {
    const like = template.checkpoint.tensors.get(name);
    const dtype = storedCard(tensor).dtype;
    const mine: DType | undefined = like && storedCard(like).dtype;
    if (mine === undefined || mine === dtype) continue;
    const pair = `${dtype} where "${template.key}" has ${mine}`;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return [...pairs].map(([pair, count]) =>
    finding(
      "note",
      "info",
      `"${other.key}" stores ${count} ${count === 1 ? "tensor" : "tensors"} as ${pair}; all are computed in float32.`,
      { source: other },
    ),
  );
}

/** An ONNX export has its weights in a graph, under names of its own. */
function refuseEmpty(source: Source): readonly Finding[] {
  if (source.checkpoint.tensors.size > 0) return [];
  const sentence = `"${source.key}" has no tensors to merge. Take the .safetensors that it was exported from.`;
  return [finding("error", "not-mergeable", sentence, { source })];
}

/** What the checkpoints as wholes have in common, and what not. Their tensors are compared one by one. */
export function compareCheckpoints(
  sources: Sources,
  recipe: Recipe,
  outputs: readonly OutputTensor[],
): readonly Finding[] {
  const [template, ...others] = distinct(sources) as [Source, ...Source[]];
  const findings = [template, ...others].flatMap(refuseEmpty);
  findings.push(
    ...others.flatMap((other) => [
      ...compareNames(template, other),
      ...compareConfig(template, other, recipe),
      ...compareDTypes(template, other),
    ]),
  );
  findings.push(...[template, ...others].flatMap(compareEmpty));
  findings.push(...[template, ...others].flatMap(compareQuantisation));
  if (!template.checkpoint.config) {
    findings.push(
      finding(
        "warning",
        "missing-file",
        `"${template.key}" has no config.json, so the result has none${findEmbedding(template.checkpoint) ? ": transformers will not load it" : ""}.`,
        { source: template },
      ),
    );
  }
  return [...findings, ...compareHeads([template, ...others], outputs)];
}
