import { join } from "node:path";
import { FUSION_DEFAULTS, type FusionSettings } from "../../../engine/contract/index.ts";
import type { SparseRows } from "../../../engine/fuse/align/types.ts";
import type { UnfusedRecord } from "../../../engine/fuse/dataset/records.ts";
import { fuseDocuments } from "../../../engine/fuse/rows/fuseRows.ts";
import type { Gpu } from "../../../engine/gpu/device.ts";
import { type Comparison, combine, compareValues } from "../compare.ts";
import type { AlignmentCase } from "./alignmentCase.ts";
import { type CollatorCase, recordOfFeature, type TargetRow } from "./collatorGolden.ts";
import { readOptionalGolden } from "./files.ts";
import { compareLoss } from "./losses.ts";

type Targets = readonly (readonly TargetRow[])[];

/** The distributions that collators and trainers make of rows, mixed on the GPU. */
export async function targetCases(folder: string): Promise<readonly AlignmentCase[]> {
  const file = await readOptionalGolden(join(folder, "fusion", "collator_loss.json"));
  const { cases } = (file ?? { cases: [] }) as { readonly cases: readonly CollatorCase[] };
  return cases.flatMap(collatorCases);
}

function collatorCases(golden: CollatorCase) {
  const { profile, features, collator, loss } = golden;
  const records = features.map(recordOfFeature);
  const about = `fusion/collator_loss/${profile}`;
  const open = (
    name: string,
    changes: Partial<FusionSettings>,
    targets: Targets,
    of: readonly UnfusedRecord[] = records,
  ): AlignmentCase => ({
    name: `${about}/${name}`,
    run: async ({ gpuProvider }) =>
      compareTargets(
        await gpuProvider.get(),
        of,
        { ...FUSION_DEFAULTS[profile], ...changes },
        targets,
      ),
  });
  const alone = Object.entries(collator).flatMap(([set, targets]) =>
    Object.entries(targets).map(([name, wanted]) => {
      // `base_target_dist` is the pivot's; the others are numbered, or the only one.
      const source = name.startsWith("base") ? null : Number(/\d$/.exec(name)?.[0] ?? 0);
      const changes = {
        bf16: set.startsWith("bf16"),
        temperature: set.endsWith("T2") ? 2 : 1,
        withPivot: source === null,
      };
      const of = records.slice(0, wanted.length).map((record) => ({
        ...record,
        sources: source === null ? [] : [record.sources[source]!],
      }));
      return open(`${set}/${name}`, changes, wanted, of);
    }),
  );
  const chosen = loss.flatMap(({ precision, mode, without_pivot: without = false, target }) => {
    const changes = { bf16: precision === "bf16", fusion: mode, withPivot: !without };
    const name = `${precision}/${mode}${without ? "-without-pivot" : ""}`;
    return target ? [open(name, changes, target)] : [];
  });
  // Cross-entropy; KL differs by the targets' entropy, which has no gradient and no use here.
  const losses = loss.filter(({ loss_type, target }) => loss_type === "ce" && target);
  const lost = losses.map((one) => ({
    name: `${about}/${one.precision}/${one.mode}${one.without_pivot ? "-without-pivot" : ""}/loss`,
    run: async ({ gpuProvider }: Parameters<AlignmentCase["run"]>[0]) =>
      compareLoss(await gpuProvider.get(), golden, one),
  }));
  return [...alone, ...chosen, ...lost];
}

async function compareTargets(
  gpu: Gpu,
  records: readonly UnfusedRecord[],
  settings: FusionSettings,
  golden: Targets,
): Promise<Comparison> {
  const fused = await fuseDocuments(gpu, records, settings);
  return combine(
    fused.flatMap(({ fused: rows }, at) =>
      Array.from({ length: rows.offsets.length - 1 }, (_, row) =>
        compareRow(rows, row, golden[at]![row]!, settings.bf16),
      ),
    ),
  );
}

/** The manifest's bounds; a step of bf16 is at most 2^-7 of a value. What is zero is not listed. */
function compareRow(rows: SparseRows, row: number, golden: TargetRow, bf16: boolean): Comparison {
  const own: [number, number][] = [];
  for (let at = rows.offsets[row]!; at < rows.offsets[row + 1]!; at++) {
    if (rows.values[at]! > 0) own.push([rows.ids[at]!, rows.values[at]!]);
  }
  own.sort(([one], [other]) => one - other);
  const want = golden.filter(([, value]) => value > 0);
  if (own.map(([id]) => id).join() !== want.map(([id]) => id).join()) {
    return { passed: false, maxAbsError: Number.POSITIVE_INFINITY, bound: 0 };
  }
  const [got, wanted] = [own, want].map((list) => Float64Array.from(list, ([, value]) => value));
  return compareValues(got!, wanted!, (at) =>
    bf16 ? 2 ** -7 * wanted![at]! : 2e-6 + 1e-5 * wanted![at]!,
  );
}
