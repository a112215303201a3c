import type { Gpu } from "../../gpu/device.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import type { DecoderSpec, LayerSpec } from "../description/spec.ts";
import { headQuads } from "../kernels/kernels.ts";
import type { Rows } from "../kernels/multiply.ts";
import { AngleTables, angleLength } from "./angleTables.ts";
import type { KeyValues } from "./cache.ts";
import type { LayerBuffers } from "./layer.ts";

/** Bytes of logits passed on at once. */
export const LOGITS_BYTES = 16 * 2 ** 20;

const wholeQuads = (length: number) => 4 * Math.ceil(length / 4);

/** Values per row of every buffer of a pass. */
function rowLengths(spec: DecoderSpec) {
  const { hiddenSize, layers } = spec;
  const widest = (length: (layer: LayerSpec) => number) => Math.max(0, ...layers.map(length));
  const rowStride = widest(({ attention }) => attention.rowStride);
  const headNorms = layers.some(({ queryNorm, keyNorm }) => queryNorm ?? keyNorm);
  const postNorms = layers.some(
    ({ postAttentionNorm, postMlpNorm }) => postAttentionNorm ?? postMlpNorm,
  );
  return {
    residual: hiddenSize,
    normed: wholeQuads(hiddenSize),
    qkv: rowStride,
    turned: headNorms ? rowStride : 0,
    queries: widest(({ attention }) => attention.heads * headQuads(attention) * 4),
    mixed: widest(({ attention }) => wholeQuads(attention.heads * attention.headDim)),
    logSums: widest(({ attention }) => attention.heads),
    wide: widest(({ mlp }) => mlp.rowStride),
    active: widest(({ mlp }) => wholeQuads(mlp.size)),
    branch: postNorms ? hiddenSize : 0,
    indices: 1,
    positions: spec.embedding.positions === null ? 0 : 1,
    angles: angleLength(spec),
  };
}
type Part = keyof ReturnType<typeof rowLengths>;

/** Rows of logits computed at once. */
function logitRows({ vocabSize }: DecoderSpec, rows: number): number {
  return Math.max(1, Math.min(rows, Math.floor(LOGITS_BYTES / (4 * vocabSize))));
}

/** Bytes of a workspace for `rows` tokens. */
export function workspaceBytes(spec: DecoderSpec, rows: number): number {
  const values = Object.values(rowLengths(spec)).reduce((sum, length) => sum + length, 0);
  return 4 * (rows * values + logitRows(spec, rows) * spec.vocabSize);
}

/** Bytes of its largest buffer, which one binding must hold. */
export function largestBuffer(spec: DecoderSpec, rows: number): number {
  const lengths = Object.values(rowLengths(spec));
  return (
    4 * Math.max(...lengths.map((length) => length * rows), logitRows(spec, rows) * spec.vocabSize)
  );
}

/** Buffers that the layers write to: one set, used by every layer in turn. */
export class Workspace {
  /** Tokens that it has room for. */
  readonly rows: number;
  readonly logitRows: number;
  readonly angles: AngleTables;
  readonly #lengths: ReturnType<typeof rowLengths>;
  readonly #buffers = new Map<Part | "logits", GPUBuffer>();
  readonly #scope = new ResourceScope();
  readonly #vocabSize: number;

  constructor(gpu: Gpu, spec: DecoderSpec, rows: number) {
    this.rows = rows;
    this.logitRows = logitRows(spec, rows);
    this.#lengths = rowLengths(spec);
    this.#vocabSize = spec.vocabSize;
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const allocate = (part: Part | "logits", values: number) => {
      const pooled = gpu.pool.allocate(part, 4 * values, STORAGE | COPY_DST | COPY_SRC);
      this.#buffers.set(part, this.#scope.keep(pooled).buffer);
    };
    try {
      for (const [part, length] of Object.entries(this.#lengths)) {
        allocate(part as Part, rows * length);
      }
      allocate("logits", this.logitRows * spec.vocabSize);
    } catch (error) {
      this.release();
      throw error;
    }
    this.angles = new AngleTables(this.buffer("angles"), spec, rows);
  }

  buffer(part: Part | "logits"): GPUBuffer {
    return this.#buffers.get(part) as GPUBuffer;
  }

  /** A buffer as rows, from row `first` on. */
  rowsOf(part: Part | "logits", first = 0): Rows {
    const stride = part === "logits" ? this.#vocabSize : this.#lengths[part];
    return { buffer: this.buffer(part), stride, offset: first * stride };
  }

  /** Buffers of a layer: one residual, with keys and values in the cache. */
  ofLayer({ attention, mlp, queryNorm }: LayerSpec, cache: KeyValues): LayerBuffers {
    const [residual, normed, branch] = [
      this.rowsOf("residual"),
      this.rowsOf("normed"),
      this.rowsOf("branch"),
    ];
    const { rowStride } = attention;
    return {
      ...cache,
      input: residual,
      middle: residual,
      output: residual,
      normed,
      mlpNormed: normed,
      qkv: { buffer: this.buffer("qkv"), stride: rowStride, offset: 0 },
      turned: queryNorm && { buffer: this.buffer("turned"), stride: rowStride, offset: 0 },
      queries: this.buffer("queries"),
      angles: this.angles.of(attention.rope),
      mixed: this.rowsOf("mixed"),
      logSums: this.buffer("logSums"),
      wide: { buffer: this.buffer("wide"), stride: mlp.rowStride, offset: 0 },
      active: this.rowsOf("active"),
      attended: branch,
      made: branch,
    };
  }

  release(): void {
    this.#scope.release();
  }
}
