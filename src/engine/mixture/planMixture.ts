import { requireModel } from "../checkpoint/adapters/adapter.ts";
import type { Checkpoint, CheckpointTensor, ModelConfig } from "../checkpoint/checkpoint.ts";
import { planShards, type ShardPlan } from "../checkpoint/formats/safetensors/shards.ts";
import type { LibraryReader } from "../checkpoint/library/library.ts";
import {
  EngineError,
  type MixtureConfig,
  type MixturePlan,
  type MixtureRequest,
  type ModelId,
  type OutputDType,
} from "../contract/index.ts";
import { dtypeFromFloatName, dtypeFromTorch, isOutputDType } from "../core/tensor/dtype.ts";
import { findModel } from "../merge/libraryPlan.ts";
import { STUDIO } from "../merge/run/version.ts";
import { chooseLayout, type MixtureLayout } from "./architectures.ts";
import { checkMixture } from "./checkMixture.ts";
import { mixtureConfigFile } from "./mixtureConfigFile.ts";
import { type GateRows, type MixtureModels, mixtureTensors } from "./mixtureView.ts";
import { parseMixture } from "./parseMixture.ts";

/** A mixture, found out from headers alone. */
export interface PlannedMixture {
  readonly card: MixturePlan;
  readonly config: MixtureConfig;
  readonly layout: MixtureLayout;
  readonly models: MixtureModels;
  /** Library ids of base, experts and shared experts. */
  readonly ids: readonly ModelId[];
  /** config.json of the result. */
  readonly configFile: ModelConfig;
  readonly shards: ShardPlan;
  /** The tensors to write, with these gates. */
  tensors(gates: GateRows): ReadonlyMap<string, CheckpointTensor>;
}

/**
 * Plans a mixture over the library. `bad-recipe` for the config, `missing-file` for a model,
 * `unsupported-architecture` for models that make no mixture, and the errors of `mixtureTensors`.
 */
export async function planMixture(
  library: LibraryReader,
  { yaml, sameExperts, shardBytes }: MixtureRequest,
): Promise<PlannedMixture> {
  const { config, notes } = parseMixture(yaml);
  checkMixture(config, sameExperts === true);
  const listed = [...config.experts, ...config.sharedExperts].map(({ model }) => model);
  const ids: ModelId[] = [];
  for (const name of [config.base, ...listed]) ids.push((await findModel(library, name)).id);
  const opened: Checkpoint[] = [];
  for (const id of ids) opened.push(await library.open(id));
  for (const checkpoint of opened) requireModel(checkpoint);
  const layout = chooseLayout(
    config,
    opened.map(({ name, config }) => ({ name, modelType: config?.modelType ?? null })),
  );
  const [base, ...others] = opened as [Checkpoint, ...Checkpoint[]];
  const models = {
    base,
    experts: others.slice(0, config.experts.length),
    shared: others.slice(config.experts.length),
  };
  const { config: stated } = base;
  if (!stated) throw new EngineError("bad-config", `"${base.name}" has no config.json.`, {});
  const dtype = outputDType(config, base, stated);
  const tensors = (gates: GateRows) => mixtureTensors({ config, layout, dtype, models, gates });
  const planned = tensors(async () => new Float32Array());
  const shards = planShards([...planned.values()], {
    maxBytes: shardBytes,
    metadata: { tool: `${STUDIO.name} ${STUDIO.version}` },
  });
  const inner = [...base.tensors.values()].find(({ name }) =>
    name.endsWith("mlp.gate_proj.weight"),
  );
  const { expertsPerToken } = config;
  const about = { experts: config.experts.length, expertsPerToken, inner: inner!.shape[0]!, dtype };
  const count = [...planned.values()].reduce((sum, { elementCount }) => sum + elementCount, 0);
  return {
    config,
    layout,
    models,
    ids,
    shards,
    tensors,
    configFile: mixtureConfigFile(stated, layout, about),
    card: {
      config,
      architecture: layout.name,
      parameters: count,
      layers: stated.layers ?? 0,
      writeBytes: shards.files.reduce((sum, { byteLength }) => sum + byteLength, 0),
      notes: [...notes, ...noteCount(config)],
    },
  };
}

/** Dtype of the result: the config's, else the base's config.json's, else that of its weights. */
function outputDType(
  { dtype }: MixtureConfig,
  base: Checkpoint,
  { fields }: ModelConfig,
): OutputDType {
  if (dtype) return dtypeFromFloatName(dtype);
  const stated = fields.dtype ?? fields.torch_dtype;
  const named = typeof stated === "string" ? dtypeFromTorch(stated) : null;
  if (named && isOutputDType(named)) return named;
  const stored = [...base.tensors.values()].map((tensor) => tensor.dtype).find(isOutputDType);
  return stored ?? "BF16";
}

function noteCount({ experts }: MixtureConfig): readonly string[] {
  const { length } = experts;
  if (Number.isInteger(Math.log2(length))) return [];
  return [`${length} experts are no power of two, which llama.cpp needs.`];
}
