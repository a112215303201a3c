import { type CheckpointTensor, readTensor } from "../checkpoint/checkpoint.ts";
import { findEmbedding } from "../checkpoint/tensorRoles/head.ts";
import { EngineError, type MixtureExpert, type ModelId } from "../contract/index.ts";
import { toF64 } from "../core/tensor/convert.ts";
import { byteLength } from "../core/tensor/dtype.ts";
import { drawKey } from "../merge/methods/taskVectors/philox.ts";
import { readHiddenStates } from "../runtime/generate/hiddenStates.ts";
import { findRunnable } from "../runtime/language/findRunnable.ts";
import type { OpenLanguageText } from "../runtime/language/languageFiles.ts";
import type { ModelCache } from "../runtime/language/modelCache.ts";
import { checkContext } from "../runtime/language/requests.ts";
import type { TextTokenizer } from "../text/tokenizers/tokenizer.ts";
import { readsPrompts } from "./checkMixture.ts";
import { conditionNumber } from "./condition.ts";
import { normalDraws, uniformDraws } from "./draws.ts";
import type { PlannedMixture } from "./planMixture.ts";

export interface GateParts {
  readonly modelCache: ModelCache;
  readonly openText: OpenLanguageText;
}

/** Rows of the routers by layer: [experts + shared, hidden], one after the other. */
export type Gates = readonly Float32Array<ArrayBuffer>[];

export interface GateOptions {
  readonly signal: AbortSignal;
  /** Progress in prompts. */
  progress?(done: number, total: number): void;
}

/** Condition number of a layer's rows above which mergekit calls them degenerate. */
const DEGENERATE = 5;

/**
 * Makes the routers' rows as the config's gate mode says. `missing-file` without a tokenizer, `usage`
 * for a prompt without tokens or beyond the context, `gpu-memory`, `nonfinite`.
 */
export async function makeGates(
  parts: GateParts,
  plan: PlannedMixture,
  options: GateOptions,
): Promise<Gates> {
  const gates = readsPrompts(plan.config)
    ? await promptGates(parts, plan, options)
    : randomGates(plan);
  const layer = gates.findIndex((rows) => !rows.every(Number.isFinite));
  if (layer < 0) return gates;
  throw new EngineError(
    "nonfinite",
    `The hidden states of "${plan.config.base}" at layer ${layer} are not finite, so that no router can be made of them. Use "gate_mode: cheap_embed", or a base without NaN.`,
    { layer },
  );
}

/** Layers whose rows are nearly dependent, in a sentence; empty where none is. */
export function describeGates(gates: Gates, rows: number): readonly string[] {
  const conditions = gates.map((values) => conditionNumber(values, rows));
  const layers = conditions.flatMap((value, i) => (value > DEGENERATE ? [i] : []));
  if (layers.length === 0) return [];
  const which =
    layers.length === gates.length
      ? "all layers"
      : `${layers.length === 1 ? "layer" : "layers"} ${layers.join(", ")}`;
  const worst = Math.max(...conditions);
  const number = Number.isFinite(worst) ? worst.toPrecision(3) : "infinite";
  return [
    `The routers of ${which} are degenerate (condition number up to ${number}; good ones are below ${DEGENERATE}): the prompts may be too similar, and some experts will hardly be used.`,
  ];
}

/** Experts with a row in the routers: those that share every token, where the layout has a gate for them. */
const gated = ({ config }: PlannedMixture) => [...config.experts, ...config.sharedExperts];

function randomGates(plan: PlannedMixture): Gates {
  const { config, models } = plan;
  const hidden = models.base.config?.hiddenSize ?? 0;
  const count = gated(plan).length * hidden;
  return Array.from({ length: plan.card.layers }, (_, layer) => {
    const key = drawKey(config.seed, `gate ${layer}`, config.gateMode);
    if (config.gateMode === "random") return Float32Array.from(normalDraws(key, 0, count));
    return Float32Array.from(uniformDraws(key, 0, count), (draw) => draw / Math.sqrt(hidden));
  });
}

/** States of some prompts, by layer, each [hidden]. */
type Read = (prompts: readonly string[]) => Promise<readonly Float64Array[]>;

async function promptGates(
  parts: GateParts,
  plan: PlannedMixture,
  options: GateOptions,
): Promise<Gates> {
  const { base } = plan.models;
  const tokenizer = (await parts.openText(base)).tokenizer();
  const experts = gated(plan);
  const prompts = experts.flatMap((each) => [...each.positivePrompts, ...each.negativePrompts]);
  const ids = new Map(prompts.map((prompt) => [prompt, encode(tokenizer, prompt)]));
  if (plan.config.gateMode === "cheap_embed") {
    const read = await embeddingReader(plan, ids);
    return gatesOf(experts, plan.card.layers, read);
  }
  return readThrough(parts, plan.ids[0]!, plan, { ids, experts, ...options });
}

/** Text of a prompt behind the token that begins texts, as mergekit tokenizes it. */
function encode(tokenizer: TextTokenizer, prompt: string): readonly number[] {
  const start = tokenizer.bosId === null ? "" : tokenizer.piece(tokenizer.bosId);
  const ids = [...tokenizer.encode(start + prompt, { specialTokens: false }).ids];
  if (ids.length > 0) return ids;
  throw new EngineError("usage", "A prompt has no tokens: write a text that its expert is for.");
}

function readThrough(
  { modelCache }: GateParts,
  id: ModelId,
  { config, card, models }: PlannedMixture,
  work: GateOptions & {
    readonly ids: ReadonlyMap<string, readonly number[]>;
    readonly experts: readonly MixtureExpert[];
  },
): Promise<Gates> {
  const { ids, experts, signal, progress } = work;
  const { contextLength } = findRunnable(models.base);
  const longest = Math.max(...[...ids.values()].map(({ length }) => length));
  checkContext(longest, contextLength, models.base.name);
  const of = config.gateMode === "hidden_avg" ? "mean" : "last";
  const total = experts.reduce(
    (sum, each) => sum + each.positivePrompts.length + each.negativePrompts.length,
    0,
  );
  let done = 0;
  return modelCache.use(id, { tokens: longest, signal }, ({ gpu, model }) =>
    gatesOf(experts, card.layers, async (prompts) => {
      const states: (readonly Float64Array[])[] = [];
      for (const prompt of prompts) {
        states.push(await readHiddenStates(gpu, model, ids.get(prompt)!, of, { signal }));
        progress?.(++done, total);
      }
      return Array.from({ length: card.layers }, (_, layer) =>
        average(states.map((each) => each[layer]!)),
      );
    }),
  );
}

/**
 * Rows by layer: the mean state of an expert's positive prompts, less that of its negative ones, at
 * length 1.
 */
async function gatesOf(
  experts: readonly MixtureExpert[],
  layers: number,
  read: Read,
): Promise<Gates> {
  const rows: (readonly Float64Array[])[] = [];
  for (const { positivePrompts, negativePrompts } of experts) {
    const wanted = await read(positivePrompts);
    const unwanted = negativePrompts.length > 0 ? await read(negativePrompts) : null;
    rows.push(
      wanted.map((state, layer) => {
        const other = unwanted?.[layer];
        return normalize(other ? state.map((value, i) => value - other[i]!) : state);
      }),
    );
  }
  return Array.from({ length: layers }, (_, layer) =>
    Float32Array.from(rows.flatMap((row) => [...row[layer]!])),
  );
}

function average(states: readonly Float64Array[]): Float64Array {
  return states[0]!.map(
    (_, i) => states.reduce((sum, state) => sum + state[i]!, 0) / states.length,
  );
}

/** The vector at length 1; one shorter than 1e-8 is divided by that, as in mergekit. */
function normalize(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / Math.max(norm, 1e-8));
}

/** The sum of the prompts' token embeddings at length 1, the same for every layer. */
async function embeddingReader(
  { models, card }: PlannedMixture,
  ids: ReadonlyMap<string, readonly number[]>,
): Promise<Read> {
  const embedding = findEmbedding(models.base);
  if (!embedding) {
    throw new EngineError(
      "missing-tensor",
      `"${models.base.name}" has no token embedding, which "gate_mode: cheap_embed" reads.`,
      { model: models.base.name },
    );
  }
  return async (prompts) => {
    const sum = new Float64Array(embedding.shape[1] ?? 0);
    for (const id of prompts.flatMap((prompt) => ids.get(prompt)!)) {
      const row = await readRow(embedding, id);
      for (let i = 0; i < sum.length; i++) sum[i]! += row[i]!;
    }
    const unit = normalize(sum);
    return Array.from({ length: card.layers }, () => unit);
  };
}

async function readRow(embedding: CheckpointTensor, row: number): Promise<Float64Array> {
  const [rows = 0, columns = 0] = embedding.shape;
  if (row >= rows) {
    throw new EngineError(
      "mismatch",
      `Token ${row} of a prompt has no row in "${embedding.name}", which has ${rows}: tokenizer and weights are of different models.`,
      { id: row, rows },
    );
  }
  const start = byteLength(embedding.dtype, row * columns);
  const bytes = await readTensor(embedding, start, byteLength(embedding.dtype, columns));
  return toF64(bytes, embedding.dtype);
}
