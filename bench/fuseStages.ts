import { FUSION_DEFAULTS, type FusionSettings } from "../src/engine/contract/index.ts";
import { createRandom } from "../src/engine/core/random.ts";
import type { Pool } from "../src/engine/core/threadPool.ts";
import { AlignmentCounts } from "../src/engine/fuse/align/maps/alignmentCounts.ts";
import { buildVocabularyMap } from "../src/engine/fuse/align/maps/build.ts";
import { minedTargets } from "../src/engine/fuse/align/maps/mined.ts";
import { alignOffsets } from "../src/engine/fuse/align/offsets.ts";
import { openPooledGrouper } from "../src/engine/fuse/align/pooledGrouper.ts";
import { SparseRowsWriter } from "../src/engine/fuse/align/sparseRowsWriter.ts";
import { type AlignTasks, spellBoth } from "../src/engine/fuse/align/tasks.ts";
import type { Groups, SparseRows } from "../src/engine/fuse/align/types.ts";
import { remark } from "../src/engine/fuse/align/vocabulary.ts";
import { createWarper, type DtwProfileName, dtwProfiles } from "../src/engine/fuse/align/warper.ts";
import type { Pair, Side } from "./fuseData.ts";

/** What one contender did: rows are supervised positions, or strings of a vocabulary. */
export interface Timed {
  readonly rows: number;
  readonly seconds: number;
  /** Of all threads, those of a software GPU among them: what others run beside does not count. */
  readonly cpuSeconds: number;
}

/** The inputs of a stage, ours and as JSON for Python, and how its answers compare. */
export interface Stage {
  readonly name: string;
  readonly ours: readonly { readonly how: string; run(): Promise<Timed> }[];
  /** Null: there is nothing to compare with. */
  readonly peer: { readonly stage: string; readonly data: unknown } | null;
  /** Whether the peer's answers are ours. */
  agrees(answer: unknown): boolean;
}

/** Does the work once. */
async function timeOnce(rows: number, work: () => unknown): Promise<Timed> {
  const begun = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - begun) / 1000;
  return { rows, seconds, cpuSeconds: (user + system) / 1e6 };
}

/** Does the work again until a second is over: fast stages are told from noise. */
export async function timeRuns(rows: number, work: () => unknown): Promise<Timed> {
  let runs = 0;
  const timed = await timeOnce(rows, async () => {
    const begun = performance.now();
    do {
      await work();
      runs++;
    } while (performance.now() - begun < 1000);
  });
  return { ...timed, rows: rows * runs };
}

const rowsOf = (pairs: readonly Pair[]) =>
  pairs.reduce((sum, { pivot }) => sum + pivot.ids.length, 0);
const idsOf = ({ pivot, source }: Pair) => ({ pivot: pivot.ids, source: source.ids });

function listGroups({ offsets, positions }: Groups): readonly (readonly number[])[] {
  return Array.from({ length: offsets.length - 1 }, (_, i) => [
    ...positions.subarray(offsets[i], offsets[i + 1]),
  ]);
}

/** DTW as a profile has it. Python gets the first `shown` dialogues only, and so do we once. */
export function warpStage(
  profile: DtwProfileName,
  pivot: Side,
  source: Side,
  pairs: readonly Pair[],
  shown: number,
  pool: Pool<AlignTasks>,
): Stage {
  const few = pairs.slice(0, shown);
  const sides = [pivot.vocabulary, source.vocabulary] as const;
  let warped: readonly Groups[] = [];
  const spelled = spellBoth(profile, ...sides);
  const warpAll = (some: readonly Pair[]) => {
    const warpTexts = createWarper(profile, ...sides);
    return some.map((pair) => warpTexts(idsOf(pair)).groups);
  };
  return {
    name: `DTW, ${profile}`,
    ours: [
      {
        how: "one core, the same dialogue, cold",
        run: () =>
          timeOnce(rowsOf(few), () => {
            warped = warpAll(few);
          }),
      },
      {
        how: `one core, ${pairs.length} dialogues`,
        run: () => timeOnce(rowsOf(pairs), () => warpAll(pairs)),
      },
      {
        how: `${pool.width} threads, ${pairs.length} dialogues`,
        async run() {
          const grouper = openPooledGrouper(pool, profile, ...sides);
          const timed = await timeOnce(rowsOf(pairs), () =>
            Promise.all(pairs.map((pair) => grouper.group(pair.pivot, pair.source))),
          );
          grouper.close();
          return timed;
        },
      },
    ],
    peer: {
      stage: "warp",
      data: {
        profile,
        documents: few.map((pair) => [
          [...pair.source.ids].map((id) => spelled.source.plain[id]),
          [...pair.pivot.ids].map((id) => spelled.pivot.plain[id]),
        ]),
      },
    },
    agrees: (answer) => JSON.stringify(answer) === JSON.stringify(warped.map(listGroups)),
  };
}

export function offsetsStage(pairs: readonly Pair[]): Stage {
  const ends = pairs.map(({ pivot, source }) => [pivot.ends, source.ends] as const);
  const met = ends.map(([a, b]) => alignOffsets(a, b).sameEnd.filter((at) => at >= 0).length);
  return {
    name: "offsets, studio",
    ours: [
      {
        how: "one core, the same",
        run: () =>
          timeRuns(rowsOf(pairs), () => {
            for (const [a, b] of ends) alignOffsets(a, b);
          }),
      },
    ],
    peer: {
      stage: "offsets",
      data: { documents: ends.map(([a, b]) => [[...b], [...a]]) },
    },
    // Tokens without bytes of their own are paired up differently: a few at the beginning.
    agrees: (answer) =>
      (answer as readonly number[]).every((count, i) => Math.abs(count - met[i]!) <= 2),
  };
}

/** Ten entries a row among the ids of the texts, so that most have a counterpart. */
function makeRows(pairs: readonly Pair[], count: number): SparseRows {
  const random = createRandom(7);
  const all = pairs.flatMap(({ source }) => [...source.ids]);
  const ids = Uint32Array.from(
    { length: 10 * count },
    () => all[Math.floor(random() * all.length)] as number,
  );
  return {
    ids,
    offsets: Uint32Array.from({ length: count + 1 }, (_, row) => 10 * row),
    values: Float32Array.from(ids, (_, i) => 20 - (i % 10)),
  };
}

export async function mapRowsStage(
  pivot: Side,
  source: Side,
  pairs: readonly Pair[],
  pool: Pool<AlignTasks>,
): Promise<Stage> {
  const settings: FusionSettings = FUSION_DEFAULTS["fusechat-v1"];
  const counts = new AlignmentCounts();
  const warpTexts = createWarper("fusechat-v1", pivot.vocabulary, source.vocabulary);
  for (const pair of pairs) {
    counts.add(pair.pivot.ids, pair.source.ids, warpTexts(idsOf(pair)).groups);
  }
  const map = await buildVocabularyMap({
    settings,
    counts,
    pool,
    pivot: pivot.vocabulary,
    source: source.vocabulary,
    pivotTokenizer: pivot.tokenizer,
    sourceTokenizer: source.tokenizer,
  });
  const rows = makeRows(pairs, rowsOf(pairs));
  const mapAll = () => {
    const writer = new SparseRowsWriter();
    for (let row = 0; row + 1 < rows.offsets.length; row++) writer.writeMapped(rows, row, map);
    return writer.finish();
  };
  const mapped = mapAll();
  const pieces = ({ vocabulary }: Side) =>
    Array.from({ length: vocabulary.size }, (_, id) => vocabulary.piece(id));
  return {
    name: "map rows, statistics",
    ours: [{ how: "one core, the same", run: () => timeRuns(rows.offsets.length - 1, mapAll) }],
    peer: {
      stage: "map rows",
      data: {
        pivot: pieces(pivot),
        source: pieces(source),
        markers: [pivot.vocabulary.marker, source.vocabulary.marker],
        map: Array.from({ length: source.vocabulary.size }, (_, id) => map.target(id)),
        rows: Array.from({ length: rows.offsets.length - 1 }, (_, row) => [
          ...rows.ids.subarray(10 * row, 10 * row + 10),
        ]),
      },
    },
    agrees: (answer) =>
      JSON.stringify((answer as readonly (readonly number[])[]).flat()) ===
      JSON.stringify([...mapped.ids]),
  };
}

/** The whole map beside a few strings of it: Python would take hours. */
export function minedStage(
  pivot: Side,
  source: Side,
  shown: number,
  pool: Pool<AlignTasks>,
): Stage {
  const own = pivot.vocabulary;
  const missing: number[] = [];
  for (let id = 0; id < source.vocabulary.size; id++) {
    const piece = remark(source.vocabulary.piece(id), source.vocabulary, own);
    if (piece !== "" && own.idOf(piece) === undefined) missing.push(id);
  }
  const step = Math.floor(missing.length / shown);
  const some = missing.filter((_, i) => i % step === 0).slice(0, shown);
  let targets = new Int32Array();
  return {
    name: `MinED, ${source.vocabulary.size} × ${own.size}, ${missing.length} without an equal`,
    ours: [
      {
        how: `${pool.width} threads, whole`,
        run: () =>
          timeOnce(missing.length, async () => {
            targets = await minedTargets(own, source.vocabulary, pool);
          }),
      },
    ],
    peer: {
      stage: "mined",
      data: {
        pivot: Array.from({ length: own.size }, (_, id) => own.piece(id)),
        pieces: some.map((id) => remark(source.vocabulary.piece(id), source.vocabulary, own)),
      },
    },
    agrees: (answer) => JSON.stringify(answer) === JSON.stringify(some.map((id) => targets[id])),
  };
}

export const profilesOfDtw = Object.keys(dtwProfiles) as readonly DtwProfileName[];
