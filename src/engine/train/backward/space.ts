import { EngineError } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import { AngleTables, angleLength } from "../../runtime/decoder/angleTables.ts";
import type { DecoderSpec, LayerSpec } from "../../runtime/description/spec.ts";
import { headQuads } from "../../runtime/kernels/kernels.ts";
import type { Rows } from "../../runtime/kernels/multiply.ts";
import { adaptedInLayer } from "./adaptedModules.ts";
import { wholeQuads } from "./alignRows.ts";
import { LOSS_ROW_WORDS } from "./rowKernels.ts";
import type { TrainTarget } from "./target.ts";

/** Sizes that a training space is allocated for. */
export interface SpaceLimits {
  /** Tokens of the longest batch. */
  readonly tokens: number;
  /** Bytes of logits computed at once, 16 MiB by default; at least one row. */
  readonly logitBytes?: number;
}
const LOGIT_BYTES = 16 * 2 ** 20;

/** Largest length over all layers. */
function widest({ layers }: DecoderSpec, length: (layer: LayerSpec) => number): number {
  return Math.max(0, ...layers.map(length));
}

const mixedLength = ({ attention }: LayerSpec) => wholeQuads(attention.heads * attention.headDim);

/** Values per token of each activation of a layer; the prefix `d` marks a gradient. */
function activationLengths(spec: DecoderSpec, target: TrainTarget) {
  const { layers } = spec;
  const hidden = wholeQuads(spec.hiddenSize);
  const qkv = widest(spec, ({ attention }) => attention.rowStride);
  const mixed = widest(spec, mixedLength);
  const queries = widest(spec, ({ attention }) => 4 * attention.heads * headQuads(attention));
  const keys = widest(spec, ({ attention }) => 4 * attention.kvHeads * headQuads(attention));
  const wide = widest(spec, ({ mlp }) => mlp.rowStride);
  const active = widest(spec, ({ mlp }) => wholeQuads(mlp.size));
  const has = (yes: boolean, length: number) => (yes ? length : 0);
  const headNorms = layers.some(({ queryNorm, keyNorm }) => queryNorm ?? keyNorm);
  const postNorms = layers.some((layer) => layer.postAttentionNorm ?? layer.postMlpNorm);
  const lora = target.kind === "lora" ? target : null;
  return {
    normed: hidden,
    dNormed: hidden,
    qkv,
    dQkv: qkv,
    turned: has(headNorms, qkv),
    dTurned: has(headNorms, qkv),
    queries,
    dQueries: queries,
    keys,
    dKeys: keys,
    values: keys,
    dValues: keys,
    dMixed: mixed,
    paddedOut: queries,
    sums: 2 * widest(spec, ({ attention }) => attention.heads),
    // Outputs before Gemma's norms after each half of a layer.
    attended: has(postNorms, hidden),
    made: has(postNorms, hidden),
    dBranch: has(postNorms, hidden),
    middle: hidden,
    dResidual: hidden,
    mlpNormed: hidden,
    dMlpNormed: has(spec.parallelResidual, hidden),
    wide,
    dWide: wide,
    active,
    dActive: active,
    embeddedLow: has(lora?.modules.includes("embeddings") ?? false, wholeQuads(lora?.rank ?? 0)),
    dLow: has(lora !== null, wholeQuads(lora?.rank ?? 0)),
    dropped: has((lora?.dropout ?? 0) > 0, Math.max(hidden, mixed, active)),
    // dy · x̂ of a norm, whose columns are summed.
    scaled: has(lora === null, Math.max(hidden, queries)),
    ids: 1,
    positions: 1,
    documents: 1,
    idGroups: 4,
    positionGroups: 4,
    angles: angleLength(spec),
    // CLM and fusion loss of each position.
    nats: 2,
  };
}
export type Part = keyof ReturnType<typeof activationLengths>;

/**
 * Values per token kept of every layer: its input, attention's output, and the outputs of its
 * adapters' A factors.
 */
function keptLengths(spec: DecoderSpec, target: TrainTarget) {
  const adapters =
    target.kind === "lora" ? widest(spec, (layer) => adaptedInLayer(layer, target).length) : 0;
  return {
    residual: wholeQuads(spec.hiddenSize),
    mixed: widest(spec, mixedLength),
    logSums: widest(spec, ({ attention }) => attention.heads),
    low: target.kind === "lora" ? adapters * wholeQuads(target.rank) : 0,
  };
}

/** Values per row of the head's buffers, for the rows computed at once. */
function headLengths(spec: DecoderSpec, target: TrainTarget) {
  const hidden = wholeQuads(spec.hiddenSize);
  const lora = target.kind === "lora" && target.modules.includes("head") ? target : null;
  const rank = wholeQuads(lora?.rank ?? 0);
  return {
    lastResidual: hidden,
    dLastResidual: hidden,
    lastNormed: hidden,
    dLastNormed: hidden,
    lastLow: rank,
    dLastLow: rank,
    lastDropped: (lora?.dropout ?? 0) > 0 ? hidden : 0,
    lastScaled: target.kind === "full" ? hidden : 0,
    // Gathered positions, in two forms, and their labels.
    picked: 1,
    pickedGroups: 4,
    rows: LOSS_ROW_WORDS,
    logits: wholeQuads(spec.vocabSize),
  };
}
export type HeadPart = keyof ReturnType<typeof headLengths>;

/** Rows of logits computed at once. */
function headRows(
  { vocabSize }: DecoderSpec,
  { tokens, logitBytes = LOGIT_BYTES }: SpaceLimits,
): number {
  return Math.max(1, Math.min(tokens, Math.floor(logitBytes / (4 * vocabSize))));
}

const sum = (lengths: object) =>
  Object.values(lengths).reduce((total: number, length: number) => total + length, 0);

/** Bytes of a space by purpose. */
export function spaceBytes(spec: DecoderSpec, target: TrainTarget, limits: SpaceLimits) {
  const { tokens } = limits;
  const kept = keptLengths(spec, target);
  return {
    checkpointBytes: 4 * tokens * (spec.layers.length * sum(kept) + kept.residual),
    activationBytes: 4 * tokens * sum(activationLengths(spec, target)),
    logitBytes: 4 * headRows(spec, limits) * sum(headLengths(spec, target)),
  };
}

/** Buffers of a training besides parameters and gradients. Serves one batch at a time. */
export class TrainingSpace {
  /** Tokens that it has room for. */
  readonly tokens: number;
  /** Rows of logits that it has room for. */
  readonly headRows: number;
  readonly angles: AngleTables;
  readonly #lengths: Readonly<Record<Part | HeadPart, number>>;
  readonly #parts = new Map<Part | HeadPart, GPUBuffer>();
  readonly #residuals: Rows[] = [];
  readonly #mixed: Rows[] = [];
  readonly #logSums: GPUBuffer[] = [];
  readonly #low: Rows[] = [];
  readonly #scope = new ResourceScope();

  /** `spec`: with aligned rows. `gpu-memory` where the budget or a binding is too small. */
  constructor(gpu: Gpu, spec: DecoderSpec, target: TrainTarget, limits: SpaceLimits) {
    const { tokens } = limits;
    this.tokens = tokens;
    this.headRows = headRows(spec, limits);
    const [activations, head] = [activationLengths(spec, target), headLengths(spec, target)];
    this.#lengths = { ...activations, ...head };
    const kept = keptLengths(spec, target);
    const allocate = (label: string, values: number) =>
      allocateRows(gpu, label, values, this.#scope);
    try {
      for (const [part, length] of Object.entries(this.#lengths)) {
        if (length === 0) continue;
        const rows = part in head ? this.headRows : tokens;
        this.#parts.set(part as Part | HeadPart, allocate(part, rows * length));
      }
      const rows = (label: string, stride: number): Rows => {
        return { buffer: allocate(label, tokens * stride), stride, offset: 0 };
      };
      this.#residuals.push(rows("input of layer 0", kept.residual));
      for (let layer = 0; layer < spec.layers.length; layer++) {
        this.#mixed.push(rows(`attention of layer ${layer}`, kept.mixed));
        this.#logSums.push(allocate(`log-sums of layer ${layer}`, tokens * kept.logSums));
        if (kept.low > 0) this.#low.push(rows(`low ranks of layer ${layer}`, kept.low));
        this.#residuals.push(rows(`output of layer ${layer}`, kept.residual));
      }
    } catch (error) {
      this.release();
      throw error;
    }
    // Without rotation the angle table is bound but never read.
    const angles = this.#parts.get("angles") ?? this.buffer("documents");
    this.angles = new AngleTables(angles, spec, tokens);
  }

  buffer(part: Part | HeadPart): GPUBuffer {
    const buffer = this.#parts.get(part);
    invariant(buffer !== undefined, `this training has no "${part}"`);
    return buffer;
  }

  /** A part as rows; `stride` for layers whose rows are shorter than the widest layer's. */
  rowsOf(part: Part | HeadPart, stride = this.#lengths[part]): Rows {
    return { buffer: this.buffer(part), stride, offset: 0 };
  }

  /** Input of a layer; after the last layer, the head's input. */
  residual(layer: number): Rows {
    return this.#residuals[layer] as Rows;
  }

  /** Attention's output in a layer, before its projection. */
  mixed(layer: number): Rows {
    return this.#mixed[layer] as Rows;
  }

  /** Log-sums of a layer's attention, per row and head. */
  logSums(layer: number): GPUBuffer {
    return this.#logSums[layer] as GPUBuffer;
  }

  /** Outputs of a layer's A factors, from column `column` on. */
  low(layer: number, column: number): Rows {
    return { ...(this.#low[layer] as Rows), offset: column };
  }

  release(): void {
    this.#scope.release();
  }
}

function allocateRows(gpu: Gpu, label: string, values: number, scope: ResourceScope): GPUBuffer {
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  if (4 * values > limit) {
    throw new EngineError(
      "gpu-memory",
      `"${label}" takes ${4 * values} bytes, but this GPU binds at most ${limit}. Train on shorter batches.`,
      { label, byteLength: 4 * values, limit },
    );
  }
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  return scope.keep(gpu.pool.allocate(label, 4 * values, STORAGE | COPY_DST | COPY_SRC)).buffer;
}
