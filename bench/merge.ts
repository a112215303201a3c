import { existsSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDawn } from "../src/node/dawn.ts";
import {
  type Answer,
  type Contender,
  METHODS,
  type MergeRequest,
  startContender,
} from "./contenders.ts";
import { reportKernels } from "./kernelReport.ts";
import { type BenchDType, median } from "./kernels.ts";
import { writeModels } from "./models.ts";
import { serveOurs } from "./ours.ts";
import { runMain } from "./runMain.ts";
import { formatMegabytes, formatRatio, formatTable } from "./table.ts";

const DTYPES: Readonly<Record<string, BenchDType>> = { f32: "F32", bf16: "BF16" };
const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };
/** Three models, a result of each contender, and some air. */
const DISK_FACTOR = 8;

interface Options {
  readonly sizes: readonly number[];
  readonly dtypes: readonly BenchDType[];
  readonly quick: boolean;
  readonly python: string;
  readonly script: string;
}

function readSize(text: string): number {
  const [, number, unit = ""] = /^([\d.]+)(MB|GB)$/.exec(text) ?? [];
  const size = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (!(size > 0)) throw new Error(`--sizes takes sizes such as 100MB,1GB; "${text}" is none`);
  return size;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      sizes: { type: "string" },
      dtypes: { type: "string", default: "f32,bf16" },
      quick: { type: "boolean", default: false },
    },
  });
  const sizes = values.sizes ?? (values.quick ? "20MB" : "100MB,1GB");
  return {
    sizes: sizes
      .split(",")
      .filter((size) => size !== "none")
      .map(readSize),
    dtypes: values.dtypes.split(",").map((name) => {
      const dtype = DTYPES[name];
      if (!dtype) throw new Error(`--dtypes takes f32 and bf16; "${name}" is neither`);
      return dtype;
    }),
    quick: values.quick,
    python: process.env.FUSESTUDIO_PYTHON ?? "python3",
    script: join(process.env.FUSESTUDIO_BENCH ?? "bench", "peers.py"),
  };
}

const secondsOf = (answers: readonly Answer[]) =>
  median(answers.flatMap((answer) => ("seconds" in answer ? [answer.seconds] : [])));

/** GB/s of input, or why there is no number. */
function formatSpeed(answers: readonly Answer[], inputBytes: number): string {
  const seconds = secondsOf(answers);
  if (Number.isFinite(seconds)) return (inputBytes / seconds / 1e9).toFixed(3);
  const [first] = answers;
  if (first && "missing" in first) return first.missing;
  return first && "error" in first ? `FAILED: ${first.error}` : "–";
}

type Merger = Contender<MergeRequest, Answer>;

async function startAll(options: Options): Promise<readonly Merger[]> {
  return Promise.all([
    startContender<MergeRequest, Answer>(process.execPath, [process.argv[1] ?? "", "--serve"]),
    startContender<MergeRequest, Answer>(options.python, [options.script, "torch"]),
    startContender<MergeRequest, Answer>(options.python, [options.script, "mergekit"]),
  ]);
}

/** Whole merges from files to files, the contenders in turn. */
async function benchMerges(options: Options, size: number, dtype: BenchDType) {
  const folder = await mkdtemp(join(tmpdir(), "fusestudio-bench-"));
  const contenders = await startAll(options);
  try {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < DISK_FACTOR * size) throw new Error(`${folder}: too little room`);
    const { base, models, byteLength } = await writeModels(folder, size, dtype);
    const repetitions = options.quick || size >= 5e8 ? 1 : 3;
    const rows: string[][] = [];
    const peaks: Answer[] = [];
    for (const method of METHODS) {
      const used = method === "slerp" ? models.slice(0, 1) : models;
      const answers = contenders.map((): Answer[] => []);
      for (let round = 0; round < repetitions; round++) {
        for (const [i, contender] of contenders.entries()) {
          const out = join(folder, `out-${i}`);
          answers[i]!.push(await contender.ask({ method, base, models: used, out, dtype }));
          await rm(out, { recursive: true, force: true });
        }
      }
      const [ours = [], torch = [], mergekit = []] = answers;
      const inputBytes = (1 + used.length) * byteLength;
      rows.push([
        formatMegabytes(byteLength),
        dtype,
        method,
        ...answers.map((some) => formatSpeed(some, inputBytes)),
        formatRatio(secondsOf(ours) / secondsOf(torch)),
        formatRatio(secondsOf(ours) / secondsOf(mergekit)),
      ]);
      for (const [i, some] of answers.entries())
        peaks[i] = some.findLast((answer) => "rss" in answer) ?? peaks[i] ?? { missing: "–" };
    }
    return { rows, peaks: formatPeaks(byteLength, dtype, peaks) };
  } finally {
    for (const contender of contenders) await contender.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Peaks over all methods of one size, each contender in a process of its own. */
function formatPeaks(byteLength: number, dtype: BenchDType, peaks: readonly Answer[]): string[] {
  const rss = peaks.map((peak) => ("rss" in peak ? formatMegabytes(peak.rss) : "–"));
  const [ours] = peaks;
  const pool = ours && "gpuPool" in ours ? formatMegabytes(ours.gpuPool ?? 0) : "–";
  return [formatMegabytes(byteLength), dtype, pool, ...rss];
}

async function main(): Promise<void> {
  const options = readOptions();
  if (!existsSync(options.script)) throw new Error(`${options.script} is missing`);
  const kernels = await reportKernels(await openDawn(), options.dtypes, options.quick);
  console.log(`## Kernels\n${kernels}`);
  if (options.sizes.length === 0) return;
  const versions = await startAll(options);
  const [adapter, torch, mergekit] = versions.map(({ version }) => version ?? "NOT RUN");
  for (const contender of versions) await contender.stop();
  console.log("## Merges, files to files");
  console.log(`ours: ${adapter}; torch: ${torch}; mergekit: ${mergekit}\n`);
  const rows: string[][] = [];
  const peaks: string[][] = [];
  for (const size of options.sizes) {
    for (const dtype of options.dtypes) {
      const result = await benchMerges(options, size, dtype);
      rows.push(...result.rows);
      peaks.push(result.peaks);
    }
  }
  const speeds = ["ours", "torch", "mergekit"].map((name) => `${name} GB/s`);
  console.log(
    formatTable(["model", "dtype", "method", ...speeds, "time × torch", "time × mergekit"], rows),
    "\n",
  );
  const resident = ["ours", "torch", "mergekit"].map((name) => `${name} RSS`);
  console.log(formatTable(["model", "dtype", "our GPU pool", ...resident], peaks));
}

await runMain(process.argv.includes("--serve") ? serveOurs : main);
