import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openCheckpoint } from "../src/engine/checkpoint/open.ts";
import { FUSION_DEFAULTS, type FusionSettings } from "../src/engine/contract/index.ts";
import type { FusedRecord, UnfusedRecord } from "../src/engine/fuse/dataset/records.ts";
import { makeRecord } from "../src/engine/fuse/dataset/testRecords.ts";
import { readTopRows, type TopRows } from "../src/engine/fuse/represent/topRows.ts";
import { fuseDocuments } from "../src/engine/fuse/rows/fuseRows.ts";
import { sequenceMetrics } from "../src/engine/fuse/rows/metrics.ts";
import type { Gpu } from "../src/engine/gpu/device.ts";
import { openDecoder } from "../src/engine/runtime/decoder/openDecoder.ts";
import { openTokenizer } from "../src/engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "../src/node/files.ts";
import { type Stage, timeRuns } from "./fuseStages.ts";

const K = 10;
/** As many entries as Llama 2 and Mistral have: the width of a reference's dense targets. */
const WIDTH = 32_000;
const WINDOW = 256;

/** A sample model over real text: the forward pass and the ten largest logits of every row. */
export async function representStage(gpu: Gpu, data: string, windows: number): Promise<Stage> {
  const folder = join("public", "samples", "ember-base");
  const files = await openFiles(folder);
  const checkpoint = await openCheckpoint(files.files, "ember-base");
  const tokenizer = await openTokenizer(files.files);
  const model = await openDecoder(gpu, checkpoint);
  const text = await readFile(join(data, "zoo", "corpora", "grimms_fairy_tales.txt"), "utf8");
  const ids = tokenizer!.encode(text.slice(20_000, 20_000 + 8 * WINDOW * windows), {
    specialTokens: false,
  }).ids;
  const documents = Array.from({ length: windows }, (_, i) => [
    ...ids.subarray(WINDOW * i, WINDOW * (i + 1)),
  ]);
  const tops: TopRows[] = [];
  return {
    name: "represent, ember-base, windows of 256",
    ours: [
      {
        how: gpu.name,
        async run() {
          const all = async () => {
            for (const [i, document] of documents.entries()) {
              const wanted = document.map((_, position) => ({ position, target: 0 }));
              const options = { k: K, tokens: model.vocabSize };
              tops[i] = await readTopRows(gpu, model, document, wanted, options);
            }
          };
          await all(); // compiles
          const timed = await timeRuns(WINDOW * windows, all);
          model.release();
          await files.close();
          return timed;
        },
      },
    ],
    peer: { stage: "represent", data: { model: folder, documents } },
    // The largest logits of each window's last row, as f16 keeps them: a rounding apart at most.
    agrees: (answer) =>
      (answer as readonly (readonly number[])[]).every((largest, i) =>
        largest.every((theirs, at) => {
          const ours = tops[i]!.logits[(WINDOW - 1) * K + at] as number;
          return Math.abs(theirs - ours) <= 2e-3 + Math.abs(theirs) * 2 ** -10;
        }),
      ),
  };
}

/** Rows as the peer takes them: where a source says nothing the pivot's own row stands. */
function membersOf(record: UnfusedRecord, settings: FusionSettings) {
  const { pivot, sources } = record;
  const metrics = sequenceMetrics(record, settings);
  const list = (of: ArrayLike<number>) =>
    Array.from(pivot.positions, (_, row) => Array.from({ length: K }, (_, i) => of[row * K + i]));
  const own = { ids: list(pivot.ids), logits: list(pivot.logits), metric: metrics[0] };
  const others = sources.map(({ rows }, i) => {
    const cut = (of: ArrayLike<number>, rest: readonly (readonly (number | undefined)[])[]) =>
      Array.from(pivot.positions, (_, row) => {
        const [start, end] = [rows.offsets[row] as number, rows.offsets[row + 1] as number];
        return end > start ? Array.from({ length: K }, (_, at) => of[start + at]) : rest[row];
      });
    const ids = cut(rows.ids, own.ids);
    return { ids, logits: cut(rows.values, own.logits), metric: metrics[i + 1] };
  });
  return [own, ...others];
}

/** Pivot and two sources of random rows: sparse on our side, dense on the peer's. */
export function fuseStage(
  gpu: Gpu,
  fusion: FusionSettings["fusion"],
  documents: number,
  shown: number,
): Stage {
  const settings: FusionSettings = {
    ...FUSION_DEFAULTS.studio,
    fusion,
    metric: "token",
    tail: "renormalise",
    averageBy: "rewards",
  };
  const records = Array.from({ length: documents }, (_, seed) =>
    makeRecord({ seed, tokens: 2048, k: K, vocabSize: WIDTH }),
  );
  const rows = records.reduce((sum, { pivot }) => sum + pivot.positions.length, 0);
  let fused: readonly FusedRecord[] = [];
  return {
    name: `fuse, ${fusion}, pivot and 2 sources`,
    ours: [
      {
        how: `${gpu.name}, ${documents} dialogues`,
        async run() {
          fused = await fuseDocuments(gpu, records, settings); // compiles
          return timeRuns(rows, () => fuseDocuments(gpu, records, settings));
        },
      },
    ],
    peer: {
      stage: "fuse",
      data: {
        width: WIDTH,
        fusion,
        documents: records.slice(0, shown).map((record) => membersOf(record, settings)),
      },
    },
    agrees: (answer) =>
      (answer as readonly (readonly (readonly [number, number])[])[]).every((theirs, i) => {
        const { offsets, ids, values } = fused[i]!.fused;
        const ours = new Map([...ids.subarray(0, offsets[1])].map((id, at) => [id, values[at]]));
        return (
          ours.size === theirs.length &&
          theirs.every(([id, value]) => Math.abs((ours.get(id) ?? Number.NaN) - value) <= 1e-5)
        );
      }),
  };
}
