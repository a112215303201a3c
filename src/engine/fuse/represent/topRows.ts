import { FUSION_SETTINGS } from "../../contract/index.ts";
import { invariant } from "../../core/invariant.ts";
import type { Gpu } from "../../gpu/device.ts";
import { readBytes } from "../../gpu/readBytes.ts";
import { ResourceScope } from "../../gpu/resourceScope.ts";
import { Recorder } from "../../runtime/kernels/recorder.ts";
import type { LanguageModel, LogitsBlock } from "../../runtime/languageModel.ts";

/** Largest number of entries that the kernel keeps of a distribution. */
const MOST_ENTRIES = FUSION_SETTINGS.topK.max;

/**
 * Lanes of a workgroup. One of a software adapter is a turn of a loop: fewer of them wait less for each
 * other; but with fewer lanes than entries, all logits come into question.
 */
const lanesFor = (gpu: Gpu, k: number) => (!gpu.software ? 256 : k <= 32 ? 32 : 64);

/** Flags of a row, as the kernel sets them. */
const NOT_FINITE = 1;
const PADDING_ON_TOP = 2;

/** A row to keep: the position of its logits, and the token that follows in the text. */
export interface WantedRow {
  readonly position: number;
  readonly target: number;
}

/** Kept entries of each wanted row, in f32. */
export interface TopRows {
  /** Entries per row. */
  readonly k: number;
  /** [rows, k], the largest logit first; equal ones in the order of their ids. */
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly logits: Float32Array<ArrayBuffer>;
  /** Log-sum-exp over all columns. */
  readonly logSums: Float32Array<ArrayBuffer>;
  readonly nats: Float32Array<ArrayBuffer>;
  /**
   * 1 for a row that contains NaN or infinity, or gives its target no probability; its values are
   * meaningless.
   */
  readonly broken: Uint8Array<ArrayBuffer>;
  /** Number of rows in which a column that is no token was among the largest. */
  readonly paddingOnTop: number;
}

export interface TopRowsOptions {
  /** Entries to keep of each row, at most 64; fewer where there are fewer tokens. */
  readonly k: number;
  /** Number of tokens: ids below are tokens, further columns of the head are padding. */
  readonly tokens: number;
  readonly signal?: AbortSignal;
  /** Lanes of a workgroup, a power of two; chosen for the adapter by default. */
  readonly lanes?: number;
}

/**
 * Reads a text and keeps the wanted rows' largest logits, found on the GPU where the logits lie.
 * Positions ascend. Errors: those of `forward`.
 */
export async function readTopRows(
  gpu: Gpu,
  model: LanguageModel,
  ids: readonly number[],
  wanted: readonly WantedRow[],
  { k: most, tokens: known, signal, lanes }: TopRowsOptions,
): Promise<TopRows> {
  const tokens = Math.min(known, model.vocabSize);
  const k = Math.min(most, tokens);
  invariant(k >= 1 && k <= MOST_ENTRIES, "there is something to keep, and not too much");
  if (wanted.length === 0) return unpack(new Uint32Array(0), k);
  const width = 2 * k + 3;
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const held = new ResourceScope();
  try {
    const asked = held.keep(
      gpu.pool.allocate("wanted rows", 8 * wanted.length, STORAGE | COPY_DST),
    );
    const found = held.keep(
      gpu.pool.allocate("top rows", 4 * width * wanted.length, STORAGE | COPY_SRC),
    );
    const recorder = held.keep(new Recorder(gpu));
    const shape = {
      columns: model.vocabSize,
      tokens,
      k,
      asked: asked.buffer,
      found: found.buffer,
      lanes: lanes ?? lanesFor(gpu, k),
    };
    const pairs = wanted.flatMap(({ position, target }) => [position, target]);
    gpu.device.queue.writeBuffer(asked.buffer, 0, Uint32Array.from(pairs));
    // Tokens after the last wanted row are not read.
    const last = wanted.at(-1)!.position;
    await model.forward(ids.slice(0, last + 1), {
      ...(signal ? { signal } : {}),
      logits: "all",
      async onLogits(block) {
        await selectRows(recorder, block, wanted, shape);
        await recorder.finish();
      },
    });
    const bytes = await readBytes(gpu, found.buffer, 0, 4 * width * wanted.length);
    return unpack(new Uint32Array(bytes.buffer), k);
  } finally {
    held.release();
  }
}

/** Dispatches the wanted rows of one block of logits and copies the results to their rows. */
async function selectRows(
  recorder: Recorder,
  { buffer, first, rows, rowStride }: LogitsBlock,
  wanted: readonly WantedRow[],
  options: {
    readonly columns: number;
    readonly tokens: number;
    readonly k: number;
    readonly asked: GPUBuffer;
    readonly found: GPUBuffer;
    readonly lanes: number;
  },
): Promise<void> {
  const { columns, tokens, k, asked, found, lanes } = options;
  const from = wanted.findIndex(({ position }) => position >= first);
  const beyond = wanted.findIndex(({ position }) => position >= first + rows);
  const count = from < 0 ? 0 : (beyond < 0 ? wanted.length : beyond) - from;
  if (count === 0) return;
  await recorder.add({
    shaders: ["fuse/top_rows.wgsl"],
    constants: { LANES: lanes },
    reads: [buffer, asked],
    writes: [found],
    integers: [columns, tokens, k, rowStride, from, first],
    groups: [count, 1],
  });
}

function unpack(words: Uint32Array<ArrayBuffer>, k: number): TopRows {
  const width = 2 * k + 3;
  const rows = words.length / width;
  const floats = new Float32Array(words.buffer);
  const ids = new Uint32Array(rows * k);
  const logits = new Float32Array(rows * k);
  const logSums = new Float32Array(rows);
  const nats = new Float32Array(rows);
  const broken = new Uint8Array(rows);
  let paddingOnTop = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * width;
    ids.set(words.subarray(at, at + k), row * k);
    logits.set(floats.subarray(at + k, at + 2 * k), row * k);
    logSums[row] = floats[at + 2 * k]!;
    nats[row] = floats[at + 2 * k + 1]!;
    const flags = words[at + 2 * k + 2]!;
    const finite = Number.isFinite(logSums[row]) && Number.isFinite(nats[row]);
    broken[row] = flags & NOT_FINITE || !finite ? 1 : 0;
    if (flags & PADDING_ON_TOP) paddingOnTop += 1;
  }
  return { k, ids, logits, logSums, nats, broken, paddingOnTop };
}
