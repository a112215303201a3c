import { join } from "node:path";
import { FUSION_DEFAULTS, type FusionSettings } from "../../../engine/contract/index.ts";
import { rewardOf, weighMembers } from "../../../engine/fuse/rows/choose.ts";
import { type Comparison, combine, compareValues } from "../compare.ts";
import type { AlignmentCase } from "./alignmentCase.ts";
import { readOptionalGolden } from "./files.ts";

interface Choice {
  readonly reward: readonly number[];
  /** 0 the pivot, 1 and 2 the sources. */
  readonly mince: number;
  readonly avgce_weights: readonly number[];
  readonly mince_v2_first_two: number;
  readonly mince_without_pivot?: number;
  readonly avgce_weights_without_pivot?: readonly number[];
}

type Precision = "bf16" | "f32";
type ChoiceCase = { readonly ce: readonly number[] } & Readonly<Record<Precision, Choice>>;

interface MultiFile {
  readonly metric_ce: readonly (readonly (number | null)[])[];
  readonly fuse_all_mince_source: readonly number[];
  readonly add_new: {
    readonly current: number;
    readonly new: number;
    readonly kept: readonly number[];
  };
}

const NAMES = ["0", "1", "2", "3"];
/** Six digits are told; neighbours in bf16 lie 1e-3 apart. */
const DIGITS = 1e-5;

/** Rewards and choices of the trainers, and of `fuse_multi.py`. */
export async function choiceCases(folder: string): Promise<readonly AlignmentCase[]> {
  const read = (name: string) => readOptionalGolden(join(folder, "fusion", name));
  const choice = (await read("choice.json")) as
    | { readonly cases: readonly ChoiceCase[] }
    | undefined;
  const multi = (await read("fuse_multi.json")) as MultiFile | undefined;
  const cases: AlignmentCase[] = [];
  for (const precision of choice ? (["bf16", "f32"] as const) : []) {
    cases.push({
      name: `fusion/choice/${precision}`,
      run: () =>
        combine(choice!.cases.flatMap((one) => compareChoice(one.ce, one[precision], precision))),
    });
  }
  if (multi) cases.push({ name: "fusion/fuse_multi", run: () => compareMulti(multi) });
  return cases;
}

function near(got: readonly number[], want: readonly number[], bound = DIGITS): Comparison {
  return compareValues(Float64Array.from(got), Float64Array.from(want), () => bound);
}

function sideOf(metrics: readonly number[], settings: FusionSettings): number {
  return weighMembers(metrics, NAMES, settings).indexOf(1);
}

function compareChoice(
  ce: readonly number[],
  golden: Choice,
  precision: Precision,
): readonly Comparison[] {
  const bf16 = precision === "bf16";
  const settings: FusionSettings = { ...FUSION_DEFAULTS["fusechat-v1"], bf16 };
  const average: FusionSettings = { ...settings, fusion: "avgce" };
  const v2 = { ...FUSION_DEFAULTS["fusechat-v2"], bf16 };
  const same = (got: number, want: number) => near([got], [want], 0);
  const found = [
    near(
      ce.map((metric) => rewardOf(metric, settings)),
      golden.reward,
    ),
    same(sideOf(ce, settings), golden.mince),
    near(weighMembers(ce, NAMES, average), golden.avgce_weights),
    same(sideOf(ce.slice(0, 2), v2), golden.mince_v2_first_two),
  ];
  const { mince_without_pivot: side, avgce_weights_without_pivot: weights } = golden;
  if (side !== undefined) found.push(same(sideOf(ce, { ...settings, withPivot: false }), side));
  if (weights) {
    found.push(near(weighMembers(ce, NAMES, { ...average, withPivot: false }), [0, ...weights]));
  }
  return found;
}

/** Which of several sources is kept: all at once, or a new one beside the one that was kept. */
function compareMulti({ metric_ce, fuse_all_mince_source, add_new }: MultiFile): Comparison {
  const settings: FusionSettings = {
    ...FUSION_DEFAULTS["fusechat-v2"],
    bf16: false,
    withPivot: false,
  };
  const keptOf = (sources: readonly number[], row: number) => {
    const metrics = sources.map((source) => metric_ce[source]?.[row] ?? Number.NaN);
    // Where nobody has a metric the script keeps the first; ours leaves such documents out before.
    if (metrics.every(Number.isNaN)) return 0;
    return sideOf([Number.NaN, ...metrics], settings) - 1;
  };
  const rows = [...fuse_all_mince_source.keys()];
  const all = metric_ce.map((_, source) => source);
  return combine([
    near(
      rows.map((row) => keptOf(all, row)),
      fuse_all_mince_source,
      0,
    ),
    near(
      rows.map((row) => keptOf([add_new.current, add_new.new], row)),
      add_new.kept,
      0,
    ),
  ]);
}
