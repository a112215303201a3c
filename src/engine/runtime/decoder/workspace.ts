import type { Gpu } from "../../gpu/device.ts";
import type { PooledBuffer } from "../../gpu/pool.ts";
import type { DecoderSpec } from "../description/spec.ts";
import { headQuads } from "../kernels/kernels.ts";
import type { Rows } from "../kernels/multiply.ts";

/** Bytes of logits handed over at once. */
export const LOGITS_BYTES = 16 * 2 ** 20;

const wholeQuads = (length: number) => 4 * Math.ceil(length / 4);

/** Values per row of every buffer that a pass through the layers needs. */
function rowLengths(spec: DecoderSpec) {
  const { hiddenSize, attention, mlp, layers } = spec;
  const { heads, headDim, rope, rowStride } = attention;
  const headNorms = layers.some(({ queryNorm, keyNorm }) => queryNorm ?? keyNorm);
  const postNorms = layers.some(
    ({ postAttentionNorm, postMlpNorm }) => postAttentionNorm ?? postMlpNorm,
  );
  return {
    residual: hiddenSize,
    normed: wholeQuads(hiddenSize),
    qkv: rowStride,
    turned: headNorms ? rowStride : 0,
    queries: heads * headQuads(attention) * 4,
    mixed: wholeQuads(heads * headDim),
    logSums: heads,
    wide: mlp.rowStride,
    active: wholeQuads(mlp.size),
    branch: postNorms ? hiddenSize : 0,
    indices: 1,
    positions: spec.embedding.positions === null ? 0 : 1,
    angles: 2 * (rope?.pairs ?? 0),
  };
}
type Part = keyof ReturnType<typeof rowLengths>;

/** Rows of logits that are made at once. */
function logitRows({ vocabSize }: DecoderSpec, rows: number): number {
  return Math.max(1, Math.min(rows, Math.floor(LOGITS_BYTES / (4 * vocabSize))));
}

/** Bytes that a workspace for `rows` tokens takes. */
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

/** What the layers write into: one set of buffers, used by every layer in turn. */
export class Workspace {
  /** Tokens it has room for. */
  readonly rows: number;
  readonly logitRows: number;
  readonly #lengths: ReturnType<typeof rowLengths>;
  readonly #buffers = new Map<Part | "logits", PooledBuffer>();
  readonly #vocabSize: number;

  constructor(gpu: Gpu, spec: DecoderSpec, rows: number) {
    this.rows = rows;
    this.logitRows = logitRows(spec, rows);
    this.#lengths = rowLengths(spec);
    this.#vocabSize = spec.vocabSize;
    const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
    const usage = STORAGE | COPY_DST | COPY_SRC;
    try {
      for (const [part, length] of Object.entries(this.#lengths)) {
        const pooled = gpu.pool.allocate(part, 4 * rows * length, usage);
        this.#buffers.set(part as Part, pooled);
      }
      const logits = gpu.pool.allocate("logits", 4 * this.logitRows * spec.vocabSize, usage);
      this.#buffers.set("logits", logits);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  buffer(part: Part | "logits"): GPUBuffer {
    return (this.#buffers.get(part) as PooledBuffer).buffer;
  }

  /** A buffer as rows, from row `first` and column `column` on. */
  rowsOf(part: Part | "logits", first = 0, column = 0): Rows {
    const stride = part === "logits" ? this.#vocabSize : this.#lengths[part];
    return { buffer: this.buffer(part), stride, offset: first * stride + column };
  }

  release(): void {
    for (const buffer of this.#buffers.values()) buffer.release();
  }
}
