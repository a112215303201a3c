import { describe, expect, test } from "vitest";
import { largestError, randomValues } from "../../runtime/kernels/kernelBench.ts";
import { useKernelBench } from "../../runtime/kernels/testBench.ts";
import { LOSS_ROW_WORDS, lose } from "./rowKernels.ts";
import { type Differentiable, gradientError } from "./testDifferences.ts";

const bench = await useKernelBench();

interface Row {
  readonly label: number;
  readonly weight: number;
  readonly fused: readonly (readonly [id: number, q: number])[];
  /** What all other tokens have together. */
  readonly tail?: number;
}

/** Runs the kernel over rows of logits; `nats` holds CLM and fusion of each. */
async function runLoss(
  rows: readonly Row[],
  logits: Float32Array,
  options: { readonly lambda: number; readonly softcap?: number; readonly differentiate?: boolean },
) {
  const columns = logits.length / rows.length;
  const stride = 4 * Math.ceil(columns / 4);
  const filled = new Float32Array(rows.length * stride);
  for (let t = 0; t < rows.length; t++) {
    filled.set(logits.subarray(t * columns, (t + 1) * columns), t * stride);
  }
  const entries = rows.flatMap(({ fused }) => fused);
  const rowWords = new Uint32Array(LOSS_ROW_WORDS * rows.length);
  const rowFloats = new Float32Array(rowWords.buffer);
  const entryWords = new Uint32Array(2 * Math.max(1, entries.length));
  let start = 0;
  for (const [t, { label, weight, fused, tail = 0 }] of rows.entries()) {
    rowWords.set([label, 0, start, start + fused.length], LOSS_ROW_WORDS * t);
    rowFloats[LOSS_ROW_WORDS * t + 1] = weight;
    rowFloats[LOSS_ROW_WORDS * t + 4] = tail;
    start += fused.length;
  }
  for (const [e, [id, q]] of entries.entries()) {
    entryWords[2 * e] = id;
    new Float32Array(entryWords.buffer)[2 * e + 1] = q;
  }
  const [z, nats] = [bench.buffer(filled), bench.buffer(new Float32Array(2 * rows.length))];
  await lose(
    bench.recorder,
    {
      rows: bench.buffer(rowWords),
      entries: bench.buffer(entryWords),
      nats,
      logits: { buffer: z, stride, offset: 0 },
      taken: bench.buffer(new Float32Array(Math.max(1, entries.length))),
    },
    {
      rows: rows.length,
      columns,
      first: 0,
      lambda: options.lambda,
      differentiate: options.differentiate ?? true,
      softcap: options.softcap ?? null,
    },
  );
  const gradient = await bench.read(z, filled.length);
  return {
    nats: await bench.read(nats, 2 * rows.length),
    gradient: gradient.filter((_, i) => i % stride < columns),
  };
}

/** Half of the sixth digit, and what float32 adds to it. */
const WORKED = 6e-7;

/** Worked by hand: labels [-, 2, 1], so position 0 predicts 2 and position 1 predicts 1. */
describe("a worked example of three positions", () => {
  const logits = Float32Array.from([0, 1, 2, 0, 1, 2, 0, 0, 5, 5, 5, 5]);
  const rows: readonly Row[] = [
    {
      label: 2,
      weight: 1,
      fused: [
        [1, 0.25],
        [2, 0.75],
      ],
    }, // prettier-ignore
    {
      label: 1,
      weight: 1,
      fused: [
        [0, 0.5],
        [1, 0.5],
      ],
    },
    { label: 0, weight: 0, fused: [[3, 1]] },
  ];
  const mean = (nats: Float32Array, part: number) => (nats[part]! + nats[2 + part]!) / 2;

  test("has these losses, to the six digits that were worked out", async () => {
    const { nats } = await runLoss(rows, logits, { lambda: 0.9 });
    expect(Math.abs(mean(nats, 0) - 0.493812)).toBeLessThanOrEqual(WORKED);
    expect(Math.abs(nats[1]! - 0.743812)).toBeLessThanOrEqual(WORKED);
    expect(Math.abs(nats[3]! - 0.993812)).toBeLessThanOrEqual(WORKED);
    expect(Math.abs(mean(nats, 1) - 0.868812)).toBeLessThanOrEqual(WORKED);
    expect(Math.abs(0.9 * mean(nats, 0) + 0.1 * mean(nats, 1) - 0.531312)).toBeLessThanOrEqual(
      WORKED,
    );
  });

  test("has these divergences, which entropies part from the cross-entropies", async () => {
    const { nats } = await runLoss(rows, logits, { lambda: 0.9 });
    const entropy = (fused: Row["fused"]) =>
      -fused.reduce((sum, [, q]) => sum + q * Math.log(q), 0);
    const kl = [0, 1].map((t) => nats[2 * t + 1]! - entropy(rows[t]!.fused));
    expect(Math.abs(kl[0]! - 0.181477)).toBeLessThanOrEqual(WORKED);
    expect(Math.abs(kl[1]! - 0.300665)).toBeLessThanOrEqual(WORKED);
    expect(Math.abs((kl[0]! + kl[1]!) / 2 - 0.241071)).toBeLessThanOrEqual(WORKED);
    expect(
      Math.abs(0.9 * mean(nats, 0) + (0.1 * (kl[0]! + kl[1]!)) / 2 - 0.468538),
    ).toBeLessThanOrEqual(WORKED);
  });

  test("has this gradient of the fusion loss, and none where nothing counts", async () => {
    const { gradient } = await runLoss(rows, logits, { lambda: 0 });
    for (const [i, want] of [0.082595, -0.025485, -0.139704, 0.082595].entries()) {
      expect(Math.abs(gradient[i]! - want)).toBeLessThanOrEqual(WORKED);
    }
    expect([...gradient.slice(8)].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });
});

describe.each([
  ["plain", undefined],
  ["soft-capped", 2],
] as const)("the gradient of %s logits", (_, softcap) => {
  test.each([1, 0.7, 0])("is the difference of the loss at λ = %d", async (lambda) => {
    const columns = 131;
    const rows: readonly Row[] = [
      // A token twice, the label among them, all kinds of lanes; sums that are not 1.
      {
        label: 64,
        weight: 1,
        fused: [
          [64, 0.2],
          [130, 0.3],
          [130, 0.1],
          [0, 0.4],
        ],
      },
      { label: 0, weight: 0.5, fused: [] },
      {
        label: 130,
        weight: 2,
        fused: [
          [65, 0.7],
          [1, 0.2],
        ],
      },
      {
        label: 3,
        weight: 1,
        fused: [
          [7, 0.5],
          [3, 0.2],
          [66, 0],
        ],
        tail: 0.3,
      },
      { label: 2, weight: 1, fused: [[5, 0.05]], tail: 0.95 },
    ];
    const logits = randomValues(rows.length * columns, 4).map((v) => 4 * v);
    const operation: Differentiable = {
      inputs: { logits },
      forward: (given) =>
        rows.map(({ label, weight, fused, tail = 0 }, t) => {
          const z = [...given.logits!.slice(t * columns, (t + 1) * columns)].map((v) =>
            softcap === undefined ? v : softcap * Math.tanh(v / softcap),
          );
          const lse = Math.log(z.reduce((sum, v) => sum + Math.exp(v), 0));
          const kept = new Set(fused.map(([id]) => id));
          const rest = z.reduce((sum, v, id) => (kept.has(id) ? sum : sum + Math.exp(v)), 0);
          const fusion = fused.reduce(
            (sum, [id, q]) => sum + q * (lse - z[id]!),
            tail * (lse - Math.log(rest)),
          );
          return weight * (lambda * (lse - z[label]!) + (1 - lambda) * fusion);
        }),
      async backward() {
        const options = { lambda, ...(softcap === undefined ? {} : { softcap }) };
        return { logits: (await runLoss(rows, logits, options)).gradient };
      },
    };
    const error = await gradientError(bench, operation, new Float32Array(rows.length).fill(1));
    // Exponentials of differences below ten, in float32.
    expect(error).toBeLessThanOrEqual(3e-6);
  });
});

test("huge logits give finite losses and gradients; where none is asked for, logits stay", async () => {
  const logits = Float32Array.from([1e4, -1e4, 3, 0, 0, 0, -1e4, 1e4]);
  const rows: readonly Row[] = [
    { label: 1, weight: 1, fused: [[0, 1]] },
    {
      label: 3,
      weight: 1,
      fused: [
        [2, 0.5],
        [3, 0.5],
      ],
    },
  ];
  const { nats, gradient } = await runLoss(rows, logits, { lambda: 0.5 });
  expect([...nats]).toEqual([20_000, 0, 0, 10_000]);
  expect([...gradient]).toEqual(
    [0.5, -0.5, 0, 0, 0, 0, -0.25, 0.25].map((v) => expect.closeTo(v, 6)),
  );
  const kept = await runLoss(rows, logits, { lambda: 0.5, differentiate: false });
  expect(kept.gradient).toEqual(logits);
  expect(kept.nats).toEqual(nats);
});

describe("a tail", () => {
  test("that one minus the entries would lose in float32 keeps its digits", async () => {
    // Outside the entry there are e^-20 of the whole, four times: 1 - p is 0 in float32.
    const logits = Float32Array.from([20, 0, 0, 0, 0]);
    const rows: readonly Row[] = [{ label: 0, weight: 1, fused: [[0, 0.75]], tail: 0.25 }];
    const { nats, gradient } = await runLoss(rows, logits, { lambda: 0 });
    const lse = Math.log(Math.exp(20) + 4);
    const want = 0.75 * (lse - 20) + 0.25 * (lse - Math.log(4));
    // exp, log and a difference of 20 in float32.
    expect(Math.abs(nats[1]! - want)).toBeLessThanOrEqual(2e-6);
    const outside = Math.exp(-lse) - 0.25 / 4;
    const wanted = [Math.exp(20 - lse) - 0.75, outside, outside, outside, outside];
    expect(largestError(gradient, wanted)).toBeLessThanOrEqual(2e-6);
    const kept = await runLoss(rows, logits, { lambda: 0, differentiate: false });
    expect(kept.gradient).toEqual(logits);
  });

  test("where every token is an entry counts nothing", async () => {
    const logits = Float32Array.from([1, 0, 2]);
    const fused: Row["fused"] = [
      [0, 0.5],
      [1, 0.25],
      [2, 0.25],
    ];
    const run = (tail: number) =>
      runLoss([{ label: 0, weight: 1, fused, tail }], logits, { lambda: 0.5 });
    expect(await run(1e-8)).toEqual(await run(0));
  });
});
