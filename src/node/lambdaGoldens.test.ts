import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { rewardOf } from "../engine/fuse/rows/choose.ts";
import { scheduledLambda, softLambda } from "../engine/fuse/rows/lambda.ts";
import { hasTestData, testDataPath } from "./testdata.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(testDataPath("goldens", "alignment", "fusion", name), "utf8"));

describe.skipIf(!hasTestData)("the references' objectives", () => {
  test("λ of the decaying and of the soft objective", () => {
    const { cases, vocab, length } = read("collator_loss.json") as CollatorFile;
    const seen = { hard_and_decay: 0, soft: 0 };
    for (const { loss, features, logits, profile } of cases) {
      for (const each of loss) {
        const hard = loss.find(
          ({ type, mode, precision, target }) =>
            target && type === "hard" && mode === each.mode && precision === each.precision,
        ) as Required<LossCase>;
        if (each.type === "hard_and_decay") {
          const steps = { step: each.step as number, steps: each.max_steps as number };
          const lambda = scheduledLambda("hard_and_decay", 0.9, steps);
          const expected = lambda * hard.clm + (1 - lambda) * hard.fusion;
          expect(Math.abs(each.loss - expected)).toBeLessThan(1e-5 * each.loss);
        } else if (each.type === "soft") {
          const { labels, attention_mask, ...about } = features[0] as Feature;
          const counts = (t: number) =>
            profile === "fusellm" ? attention_mask[t] === 1 : (labels[t + 1] ?? -100) !== -100;
          const fusion = crossEntropy(hard.target[0]!, logits, { vocab, length, counts });
          const metrics = [about.metric_ce, about.metric_ce_aligned_0!, about.metric_ce_aligned_1!];
          const bf16 = each.precision === "bf16";
          const rewards = metrics.map((metric) => rewardOf(metric, { bf16 }));
          const lambda = softLambda(rewards, each.mode);
          const expected = lambda * each.clm! + (1 - lambda) * fusion;
          // There λ is a bf16 tensor, and so are its products with the losses: half a step each.
          const slack = bf16 ? 2 ** -8 * each.loss : 0;
          expect(Math.abs(each.loss - expected)).toBeLessThan(1e-5 * each.loss + slack);
        } else continue;
        seen[each.type] += 1;
      }
    }
    expect(seen).toEqual({ hard_and_decay: 8, soft: 8 });
  });
});

type Row = readonly (readonly [id: number, value: number])[];

interface LossCase {
  readonly precision: "bf16" | "f32";
  readonly mode: "mince" | "avgce";
  readonly type: "hard" | "hard_and_decay" | "soft";
  readonly step?: number;
  readonly max_steps?: number;
  readonly loss: number;
  readonly clm?: number;
  readonly fusion?: number;
  readonly target?: readonly (readonly Row[])[];
}

interface Feature {
  readonly labels: readonly number[];
  readonly attention_mask: readonly number[];
  readonly metric_ce: number;
  readonly metric_ce_aligned_0?: number;
  readonly metric_ce_aligned_1?: number;
}

interface CollatorFile {
  readonly vocab: number;
  readonly length: number;
  readonly cases: readonly {
    readonly profile: string;
    readonly features: readonly Feature[];
    readonly logits: readonly number[];
    readonly loss: readonly LossCase[];
  }[];
}

/** Mean of Σq·lse(z) − Σq·z over the positions that count, of the batch's first sequence. */
function crossEntropy(
  target: readonly Row[],
  logits: readonly number[],
  { vocab, length, counts }: { vocab: number; length: number; counts(t: number): boolean },
): number {
  let [sum, positions] = [0, 0];
  for (let t = 0; t < length; t++) {
    if (!counts(t)) continue;
    const z = logits.slice(t * vocab, (t + 1) * vocab);
    const logSum = Math.log(z.reduce((total, each) => total + Math.exp(each), 0));
    sum += target[t]!.reduce((total, [id, value]) => total + value * (logSum - z[id]!), 0);
    positions += 1;
  }
  return sum / positions;
}
