import type { Checkpoint, CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { computedSource } from "../checkpoint/computedTensor.ts";
import { alignNames } from "../checkpoint/tensorRoles/layouts.ts";
import { isBuffer } from "../checkpoint/tensorRoles/role.ts";
import { castTensor } from "../checkpoint/views/castTensor.ts";
import { stackTensors } from "../checkpoint/views/stackTensors.ts";
import {
  EngineError,
  type MixtureConfig,
  type MixtureExpert,
  type OutputDType,
} from "../contract/index.ts";
import type { MixtureLayout } from "./architectures.ts";
import { expertTensor } from "./expertTensor.ts";

/** The models of a mixture, each in the order of its config. */
export interface MixtureModels {
  readonly base: Checkpoint;
  readonly experts: readonly Checkpoint[];
  readonly shared: readonly Checkpoint[];
}

/** Rows of the routers of one layer: [experts + shared, hidden], one after the other. */
export type GateRows = (layer: number) => Promise<Float32Array<ArrayBuffer>>;

const MATRICES = ["gate_proj", "up_proj", "down_proj"] as const;
const MLP = /^(.*layers\.(\d+)\.mlp\.)(.+)$/;
const BIASED = /\.self_attn\.[qkv]_proj\.weight$/;

interface Build {
  readonly config: MixtureConfig;
  readonly layout: MixtureLayout;
  readonly dtype: OutputDType;
  readonly models: MixtureModels;
  readonly gates: GateRows;
}

/**
 * Tensors of a mixture, each computed as it is read: the base's outside its feed-forward layers, the
 * experts' in their place under the layout's names, and the routers. Gates are asked for when a router
 * is read. `missing-tensor` and `bad-shape` where an expert does not fit the base, `mismatch` for
 * biases that the layout has no place for.
 */
export function mixtureTensors(build: Build): ReadonlyMap<string, CheckpointTensor> {
  const { base } = build.models;
  const tensors = new Map<string, CheckpointTensor>();
  const add = (tensor: CheckpointTensor) =>
    tensors.set(tensor.name, castTensor(tensor, build.dtype));
  const models = aligned(build.models);
  let layers = 0;
  for (const tensor of base.tensors.values()) {
    const [, prefix, digits, inside] = MLP.exec(tensor.name) ?? [];
    if (prefix === undefined || inside === undefined) {
      if (isBuffer(tensor.name)) continue;
      requirePlace(build.layout, base, tensor.name);
      add(tensor);
      if (build.layout.biases && BIASED.test(tensor.name)) addBias(base, tensor, add);
      continue;
    }
    requireMatrix(base, tensor.name, inside);
    if (inside === `${MATRICES[0]}.weight`) {
      layers++;
      for (const each of layerTensors({ ...build, models }, prefix, Number(digits))) add(each);
    }
  }
  if (layers > 0 && layers === (base.config?.layers ?? layers)) return tensors;
  throw new EngineError(
    "missing-tensor",
    `"${base.name}" has ${layers} gated feed-forward layers (mlp.gate_proj), and its config.json says ${base.config?.layers ?? "not how many"}: every layer of a mixture is made of them.`,
    { model: base.name, layers },
  );
}

/** The models with the base's names. */
function aligned({ base, experts, shared }: MixtureModels): MixtureModels {
  const align = (model: Checkpoint) => alignNames(model, base);
  return { base, experts: experts.map(align), shared: shared.map(align) };
}

/** Experts and routers of one layer; `prefix` is `model.layers.0.mlp.`. */
function* layerTensors(build: Build, prefix: string, layer: number): Generator<CheckpointTensor> {
  const { config, layout, models } = build;
  const experts = models.experts.map((model, i) =>
    expertMatrices(build, model, config.experts[i]!, prefix, `expert ${i}`),
  );
  if (layout.fused) yield* fuse(prefix, experts);
  else
    for (const [i, own] of experts.entries()) yield* rename(own, prefix, `${prefix}experts.${i}.`);
  for (const [i, model] of models.shared.entries()) {
    const expert = config.sharedExperts[i]!;
    const own = expertMatrices(build, model, expert, prefix, `shared expert ${i}`);
    yield* rename(own, prefix, `${prefix}shared_expert.`);
  }
  const gate = (name: string, first: number, count: number) =>
    gateTensor(build, `${prefix}${name}.weight`, layer, first, count);
  yield gate("gate", 0, experts.length);
  if (layout.shared > 0) yield gate("shared_expert_gate", experts.length, layout.shared);
}

/** Gate, up and down projection of an expert in one layer, in the result's dtype. */
function expertMatrices(
  { dtype, models, config }: Build,
  model: Checkpoint,
  expert: MixtureExpert,
  prefix: string,
  place: string,
): readonly CheckpointTensor[] {
  return MATRICES.map((matrix) => {
    const name = `${prefix}${matrix}.weight`;
    const own = model.tensors.get(name);
    const like = models.base.tensors.get(name);
    if (!own || !like) {
      const lacking = own ? models.base : model;
      throw new EngineError(
        "missing-tensor",
        `"${lacking.name}" has no "${name}": experts need the base's layers, each with a gated feed-forward layer.`,
        { model: lacking.name, tensor: name },
      );
    }
    if (own.shape.join() !== like.shape.join()) {
      throw new EngineError(
        "bad-shape",
        `"${name}" is [${own.shape.join(", ")}] in "${model.name}" and [${like.shape.join(", ")}] in "${models.base.name}": all experts of a mixture have one shape.`,
        { model: model.name, tensor: name },
      );
    }
    const isOutput = matrix === "down_proj";
    return castTensor(expertTensor(own, expert, { isOutput, seed: config.seed, place }), dtype);
  });
}

function* rename(own: readonly CheckpointTensor[], from: string, to: string) {
  for (const tensor of own) yield { ...tensor, name: to + tensor.name.slice(from.length) };
}

/** All experts of a layer in two tensors: [E, gate and up, hidden] and [E, hidden, inner]. */
function* fuse(
  prefix: string,
  experts: readonly (readonly CheckpointTensor[])[],
): Generator<CheckpointTensor> {
  const count = experts.length;
  const [gate, , down] = experts[0]!;
  const [inner = 0, hidden = 0] = gate!.shape;
  const inputs = experts.flatMap(([own, up]) => [own!, up!]);
  yield stackTensors(`${prefix}experts.gate_up_proj`, [count, 2 * inner, hidden], inputs);
  const outputs = experts.map(([, , own]) => own!);
  yield stackTensors(`${prefix}experts.down_proj`, [count, ...down!.shape], outputs);
}

/** Some rows of a layer's gates as a tensor. */
function gateTensor(
  { dtype, gates, models }: Build,
  name: string,
  layer: number,
  firstRow: number,
  rows: number,
): CheckpointTensor {
  const hidden = models.base.config?.hiddenSize ?? 0;
  const elementCount = rows * hidden;
  const source = computedSource(elementCount, dtype, async (first, count) => {
    const start = firstRow * hidden + first;
    return (await gates(layer)).slice(start, start + count);
  });
  const { byteLength } = source;
  return {
    name,
    dtype,
    shape: [rows, hidden],
    elementCount,
    byteLength,
    file: "",
    source,
    start: 0,
  };
}

/** A bias of zeros beside a projection that has none in the base, since the layout has one. */
function addBias(
  base: Checkpoint,
  weight: CheckpointTensor,
  add: (bias: CheckpointTensor) => void,
) {
  const name = weight.name.replace(/weight$/, "bias");
  if (base.tensors.has(name)) return;
  const elementCount = weight.shape[0] ?? 0;
  const source = computedSource(elementCount, "F32", async (_, count) => new Float32Array(count));
  const { byteLength } = source;
  const shape = [elementCount];
  add({ name, dtype: "F32", shape, elementCount, byteLength, file: "", source, start: 0 });
}

function requireMatrix(base: Checkpoint, tensor: string, inside: string): void {
  if (MATRICES.some((matrix) => inside === `${matrix}.weight`)) return;
  throw new EngineError(
    "mismatch",
    `"${tensor}" of "${base.name}" has no place in a mixture, whose experts are ${MATRICES.join(", ")} without biases.`,
    { model: base.name, tensor },
  );
}

/** Refuses biases of attention that the layout has not: without them the model would compute other numbers. */
function requirePlace({ name, biases }: MixtureLayout, base: Checkpoint, tensor: string): void {
  const bias = /\.self_attn\.(\w)_proj\.bias$/.exec(tensor)?.[1];
  if (bias === undefined || (biases && bias !== "o")) return;
  throw new EngineError(
    "mismatch",
    `"${base.name}" has "${tensor}", and ${name} has no such bias: the mixture would not compute what the base does.`,
    { model: base.name, tensor },
  );
}
