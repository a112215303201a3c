import { AlignmentCounts } from "../../../engine/fuse/align/maps/alignmentCounts.ts";
import { exactTargets, NO_TARGET, type Targets } from "../../../engine/fuse/align/maps/exact.ts";
import { NearestString } from "../../../engine/fuse/align/maps/nearest.ts";
import { statisticsTargets } from "../../../engine/fuse/align/maps/statistics.ts";
import type { Vocabulary } from "../../../engine/fuse/align/types.ts";
import { remark } from "../../../engine/fuse/align/vocabulary.ts";
import { createWarper, type DtwProfileName } from "../../../engine/fuse/align/warper.ts";
import { type Comparison, compareValues } from "../compare.ts";
import type { GoldenMaps } from "./files.ts";
import type { Pair } from "./runText.ts";

/** Ids and counts have to be the same. */
function compareExactly(got: Iterable<number>, want: Iterable<number>): Comparison {
  return compareValues(Float64Array.from(got), Float64Array.from(want), () => 0);
}

/**
 * For each source id that occurs, its target in a golden map; -1 where it has none. Targets whose
 * strings the goldens do not tell are left out: here nobody could find them.
 */
function compareTargets(
  { pivot }: Pair,
  maps: GoldenMaps,
  own: Targets,
  want: (id: number) => number | null | undefined,
): Comparison {
  const ids = Object.keys(maps.exact).map(Number);
  const told = ids.filter((id) => pivot.piece(want(id) ?? NO_TARGET) !== "" || want(id) === null);
  return compareExactly(
    told.map((id) => own[id] ?? NO_TARGET),
    told.map((id) => want(id) ?? NO_TARGET),
  );
}

/** The maps of a pair: of strings by themselves, and of what was counted over its texts. */
export function mapCases(
  profile: DtwProfileName,
  pair: Pair,
  maps: GoldenMaps,
  texts: readonly { readonly pivotIds: readonly number[]; readonly sourceIds: readonly number[] }[],
): readonly { readonly name: string; run(): Comparison }[] {
  const { pivot, source } = pair;
  const exact = {
    name: "exact",
    run: () => compareTargets(pair, maps, exactTargets(pivot, source), (id) => maps.exact[id]),
  };
  if (profile === "fusellm") {
    const mined = () =>
      compareTargets(pair, maps, nearestTargets(pair), (id) => maps.mined?.[id] ?? maps.exact[id]);
    return [exact, { name: "mined", run: mined }];
  }
  const version = profile === "fusechat-v1" ? 1 : 2;
  const golden = maps.counts ?? [];
  return [
    exact,
    {
      name: "counts",
      run: () => compareExactly(countAll(profile, pair, texts).toTriples(), inOrder(golden)),
    },
    {
      name: "statistics",
      run: () => {
        const counts = new AlignmentCounts();
        counts.addTriples(golden.flat());
        const targets = statisticsTargets({ pivot, source, counts, version });
        return compareTargets(pair, maps, targets, (id) => maps.ms?.[id] ?? maps.ms_default);
      },
    },
  ];
}

/**
 * The nearest strings of all those that the goldens name: fewer than the vocabulary has, but the
 * right answers are among them.
 */
function nearestTargets({ pivot, source }: Pair): Targets {
  const targets = exactTargets(pivot, source);
  const strings = Array.from({ length: pivot.size }, (_, id) => pivot.piece(id));
  const nearest = new NearestString(strings);
  for (const [id, target] of targets.entries()) {
    const piece = remark(source.piece(id), source, pivot);
    if (target === NO_TARGET && piece !== "") targets[id] = nearest.find(piece).index;
  }
  return targets;
}

function countAll(
  profile: DtwProfileName,
  { pivot, source }: { readonly pivot: Vocabulary; readonly source: Vocabulary },
  texts: Parameters<typeof mapCases>[3],
): AlignmentCounts {
  const warp = createWarper(profile, pivot, source);
  const counts = new AlignmentCounts();
  for (const { pivotIds, sourceIds } of texts) {
    const ids = { pivot: Uint32Array.from(pivotIds), source: Uint32Array.from(sourceIds) };
    counts.add(ids.pivot, ids.source, warp(ids).groups);
  }
  return counts;
}

function inOrder(triples: NonNullable<GoldenMaps["counts"]>): readonly number[] {
  return [...triples].sort(([p, s], [q, t]) => p - q || s - t).flat();
}
