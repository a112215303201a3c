import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TRAINING_DEFAULTS, type TrainingSettings } from "../src/engine/contract/index.ts";
import { type Contender, type Failed, startContender } from "./contenders.ts";
import { runMain } from "./runMain.ts";
import { formatRatio, formatTable } from "./table.ts";
import {
  adapterName,
  FOLDER,
  type Least,
  makeDocument,
  type TrainCase,
  type TrainTimes,
  timeKernels,
  timeTraining,
} from "./trainRuns.ts";

const PARTS = ["targets", "growth", "kernels"] as const;

type Reply =
  | { readonly forward: Least; readonly step: Least; readonly loss: number; readonly rss: number }
  | Failed;
type Peer = Contender<{ readonly file: string }, Reply>;

/** A case of the studio's own defaults: what differs is named. */
function caseOf(
  name: string,
  change: Partial<TrainingSettings> = {},
  { tokens = 128, layers = null }: { tokens?: number; layers?: number | null } = {},
): TrainCase {
  const size = { sequenceTokens: tokens, batchTokens: tokens, steps: 1000, warmup: 0 };
  const settings = { ...TRAINING_DEFAULTS.studio, ...size, ...change };
  return { name, settings, tokens, layers };
}

const TARGETS: readonly TrainCase[] = [
  caseOf("LoRA of q, v, rank 8", { modules: ["q", "v"] }),
  caseOf("LoRA of all, rank 8"),
  caseOf("all weights", { mode: "full" }),
];

const GROWTH: readonly TrainCase[] = [
  ...[32, 64, 128, 256].map((tokens) => caseOf(`${tokens} tokens`, {}, { tokens })),
  ...[2, 8, 32].map((rank) => caseOf(`rank ${rank}`, { rank })),
  ...[2, 4, 6].map((layers) => caseOf(`${layers} layers`, {}, { layers })),
];

async function askPeer(peer: Peer, asked: TrainCase, seconds: number): Promise<Reply> {
  const { mode, modules, rank, alpha, lambda } = asked.settings;
  const folder = await mkdtemp(join(tmpdir(), "fusestudio-bench-"));
  try {
    const file = join(folder, "request.json");
    const document = makeDocument(asked.tokens, 1024);
    const words = { model: FOLDER, mode, modules, rank, alpha, lambda, seconds, ...document };
    await writeFile(file, JSON.stringify(words));
    return await peer.ask({ file });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
/** Processor time where the GPU is software. */
const msOf = ({ seconds, cpuSeconds }: Least, software: boolean) =>
  1000 * (software ? cpuSeconds : seconds);

function oursOf({ forward, step, software, plannedBytes, peakBytes }: TrainTimes) {
  const [once, whole] = [msOf(forward, software), msOf(step, software)];
  return {
    ms: whole,
    clock: (1000 * step.seconds).toFixed(0),
    times: [once.toFixed(0), whole.toFixed(0), formatRatio(whole / once)],
    memory: [megabytes(plannedBytes), megabytes(peakBytes)],
  };
}

function theirsOf(reply: Reply, ours: { readonly ms: number; readonly loss: number }): string[] {
  if (!("step" in reply)) {
    return ["missing" in reply ? reply.missing : reply.error, "–", "–", "–", "–"];
  }
  const [once, whole] = [1000 * reply.forward.cpuSeconds, 1000 * reply.step.cpuSeconds];
  // Both in float32, in other orders.
  const same = Math.abs(ours.loss / reply.loss - 1) <= 1e-5;
  return [
    once.toFixed(0),
    whole.toFixed(0),
    formatRatio(whole / once),
    formatRatio(ours.ms / whole),
    same ? "yes" : `NO: ${ours.loss}, ${reply.loss}`,
  ];
}

async function reportTargets(peer: Peer, seconds: number): Promise<string> {
  const rows: string[][] = [];
  for (const asked of TARGETS) {
    console.error(`… ${asked.name}`);
    const times = await timeTraining(asked, seconds);
    const reply = await askPeer(peer, asked, seconds);
    const ours = oursOf(times);
    const theirs = theirsOf(reply, { ms: ours.ms, loss: times.loss });
    rows.push([asked.name, ...ours.times, ours.clock, ...theirs, ...ours.memory]);
  }
  const head = [
    "ember-base, 128 tokens",
    "forward ms",
    "step ms",
    "× forward",
    "by the clock",
    "torch forward",
    "torch step",
    "× forward",
    "ours / torch",
    "same loss",
    "planned MB",
    "peak MB",
  ];
  return formatTable(head, rows);
}

async function reportGrowth(cases: readonly TrainCase[], seconds: number): Promise<string> {
  const rows: string[][] = [];
  for (const asked of cases) {
    console.error(`… ${asked.name}`);
    const ours = oursOf(await timeTraining(asked, seconds));
    rows.push([asked.name, ...ours.times, ours.clock, ...ours.memory]);
  }
  const head = ["LoRA of all", "forward ms", "step ms", "× forward", "by the clock"];
  return formatTable([...head, "planned MB", "peak MB"], rows);
}

async function reportKernels(): Promise<string> {
  const sums = [...(await timeKernels(TARGETS[1] as TrainCase))];
  const total = sums.reduce((sum, [, { ms }]) => sum + ms, 0);
  const rows = sums
    .toSorted(([, a], [, b]) => b.ms - a.ms)
    .map(([name, { dispatches, ms }]) => [
      name,
      String(dispatches),
      ms.toFixed(1),
      `${((100 * ms) / total).toFixed(1)} %`,
    ]);
  return formatTable(["kernel", "dispatches", "ms", "part"], rows);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      parts: { type: "string", default: PARTS.join(",") },
    },
  });
  const parts = new Set(values.parts.split(","));
  for (const part of parts) {
    if (!PARTS.includes(part as "growth")) throw new Error(`--parts takes some of ${PARTS.join()}`);
  }
  const seconds = values.quick ? 1 : 8;
  const script = join(process.env.FUSESTUDIO_BENCH ?? "bench", "peers_train.py");
  const peer: Peer = await startContender(process.env.FUSESTUDIO_PYTHON ?? "python3", [script]);
  try {
    console.log(`${await adapterName()}, beside ${peer.version ?? "NOT RUN"}\n`);
    if (parts.has("targets")) console.log(`${await reportTargets(peer, seconds)}\n`);
  } finally {
    await peer.stop();
  }
  const cases = values.quick ? GROWTH.slice(0, 2) : GROWTH;
  if (parts.has("growth")) console.log(`${await reportGrowth(cases, seconds)}\n`);
  if (parts.has("kernels")) console.log(await reportKernels());
}

await runMain(main);
