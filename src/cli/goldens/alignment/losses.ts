import type { Gpu } from "../../../engine/gpu/device.ts";
import { KernelBench } from "../../../engine/runtime/kernels/kernelBench.ts";
import { LOSS_ROW_WORDS, lose } from "../../../engine/train/backward/rowKernels.ts";
import { type Comparison, combine, compareValues } from "../compare.ts";
import type { CollatorCase, CollatorLoss } from "./collatorGolden.ts";

/** The recipe's λ, where a case does not say. */
const LAMBDA = 0.9;
const NO_LABEL = -100;

/** Holds the training step's loss and its gradient against an objective that tells its target. */
export async function compareLoss(
  gpu: Gpu,
  { profile, batch, logits }: CollatorCase,
  golden: CollatorLoss,
): Promise<Comparison> {
  const targets = golden.target!.flat();
  // Row t is about the token after it.
  const labels = batch.labels.flatMap((row) => [...row.slice(1), NO_LABEL]);
  const labelled = labels.map((label) => label !== NO_LABEL);
  const masked = profile === "fusellm" ? batch.attention_mask.flat().map(Boolean) : labelled;
  const rows = { logits, labels, targets };
  const lambda = golden.lambda ?? LAMBDA;
  // Each part is a mean over its own rows: FuseLLM's two differ.
  const [clm, fusion] = [
    await sweep(gpu, rows, { counts: labelled, lambda: 1 }),
    await sweep(gpu, rows, { counts: masked, lambda: 0 }),
  ];
  const loss = lambda * clm.clm + (1 - lambda) * fusion.fusion;
  const found = [
    near([loss], [golden.loss]),
    ...(golden.clm === undefined ? [] : [near([clm.clm], [golden.clm])]),
    ...(golden.fusion === undefined ? [] : [near([fusion.fusion], [golden.fusion])]),
  ];
  if (golden.grad) {
    const both = clm.gradient.map(
      (value, i) => lambda * value + (1 - lambda) * fusion.gradient[i]!,
    );
    found.push(near(both, golden.grad, 2e-6));
    if (masked === labelled) {
      const { gradient } = await sweep(gpu, rows, { counts: labelled, lambda });
      found.push(near(gradient, golden.grad, 2e-6));
    }
  }
  return combine(found);
}

/** The manifest's bounds. */
function near(got: ArrayLike<number>, want: readonly number[], absolute = 0): Comparison {
  return compareValues(
    Float64Array.from(got),
    Float64Array.from(want),
    (at) => absolute + 1e-5 * Math.abs(want[at]!),
  );
}

interface LossRows {
  readonly logits: readonly number[];
  readonly labels: readonly number[];
  readonly targets: NonNullable<CollatorLoss["target"]>[number];
}

/** Means of both parts over the rows that count, and the gradient of λ · CLM + (1 - λ) · fusion. */
async function sweep(
  gpu: Gpu,
  { logits, labels, targets }: LossRows,
  { counts, lambda }: { readonly counts: readonly boolean[]; readonly lambda: number },
) {
  const rows = labels.length;
  const columns = logits.length / rows;
  const counted = counts.filter(Boolean).length;
  const entries = targets.flat();
  const words = new Uint32Array(LOSS_ROW_WORDS * rows);
  const taught = new Uint32Array(2 * entries.length);
  const floats = [new Float32Array(words.buffer), new Float32Array(taught.buffer)] as const;
  for (let row = 0, start = 0; row < rows; row++) {
    const end = start + targets[row]!.length;
    words.set([Math.max(0, labels[row]!), 0, start, end], LOSS_ROW_WORDS * row);
    floats[0][LOSS_ROW_WORDS * row + 1] = counts[row] ? 1 / counted : 0;
    start = end;
  }
  for (const [at, [id, value]] of entries.entries()) {
    taught[2 * at] = id;
    floats[1][2 * at + 1] = value;
  }
  const bench = new KernelBench(gpu);
  try {
    const buffer = bench.buffer(Float32Array.from(logits));
    const nats = bench.buffer(new Float32Array(2 * rows));
    await lose(
      bench.recorder,
      {
        rows: bench.buffer(words),
        entries: bench.buffer(taught),
        nats,
        logits: { buffer, stride: columns, offset: 0 },
        taken: bench.buffer(new Float32Array(entries.length)),
      },
      { rows, columns, first: 0, differentiate: true, lambda, softcap: null },
    );
    const parts = await bench.read(nats, 2 * rows);
    const mean = (part: 0 | 1) =>
      counts.reduce((sum, counts, row) => sum + (counts ? parts[2 * row + part]! : 0), 0) / counted;
    return { clm: mean(0), fusion: mean(1), gradient: await bench.read(buffer, rows * columns) };
  } finally {
    bench.release();
  }
}
