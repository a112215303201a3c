import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createPool } from "../src/engine/core/threadPool.ts";
import { alignTasks } from "../src/engine/fuse/align/tasks.ts";
import { openGpuProvider } from "../src/node/gpuProvider.ts";
import { nodeThreads } from "../src/node/threads.ts";
import { type Contender, type Failed, startContender } from "./contenders.ts";
import { openSide, readPairs } from "./fuseData.ts";
import { fuseStage, representStage } from "./fuseGpuStages.ts";
import {
  mapRowsStage,
  minedStage,
  offsetsStage,
  profilesOfDtw,
  type Stage,
  type Timed,
  warpStage,
} from "./fuseStages.ts";
import { runMain } from "./runMain.ts";
import { formatRatio, formatTable } from "./table.ts";

const PARTS = ["represent", "align", "mined", "fuse"] as const;
const USAGE = `--parts takes some of ${PARTS.join(",")}`;

type PeerReply = (Timed & { readonly answer: unknown }) | Failed;
type Peer = Contender<{ readonly stage: string; readonly file: string }, PeerReply>;

interface Options {
  readonly quick: boolean;
  readonly parts: ReadonlySet<string>;
  /** Where the texts and tokenizers are. */
  readonly data: string;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      parts: { type: "string", default: PARTS.join(",") },
    },
  });
  const data = process.env.FUSESTUDIO_TESTDATA;
  if (!data) throw new Error("NOT RUN: no test data (FUSESTUDIO_TESTDATA is not set)");
  const parts = new Set(values.parts.split(","));
  for (const part of parts) if (!PARTS.includes(part as "fuse")) throw new Error(USAGE);
  return { quick: values.quick, parts, data };
}

/** All stages that were asked for, one after the other: each is made when its turn comes. */
async function* stagesOf({ quick, parts, data }: Options): AsyncGenerator<Stage> {
  const pool = createPool(alignTasks, nodeThreads());
  const open = (name: string) => openSide(join(data, "zoo", "tokenizers", name));
  const gpu = async () => (await openGpuProvider()).get();
  if (parts.has("represent")) yield representStage(await gpu(), data, quick ? 2 : 8);
  if (parts.has("align")) {
    const [pivot, source] = [await open("llama2_hf"), await open("gpt2")];
    const pairs = await readPairs(data, pivot, source, quick ? 4 : 48);
    for (const profile of profilesOfDtw) yield warpStage(profile, pivot, source, pairs, 1, pool);
    yield offsetsStage(pairs);
    yield mapRowsStage(pivot, source, pairs.slice(0, 4), pool);
  }
  if (parts.has("mined")) {
    const [small, large] = [await open("llama2_hf"), await open("qwen2_5")];
    yield minedStage(large, small, quick ? 2 : 20, pool);
    if (!quick) yield minedStage(small, large, 20, pool);
  }
  if (parts.has("fuse")) {
    const device = await gpu();
    for (const fusion of ["mince", "avgce"] as const) {
      yield fuseStage(device, fusion, quick ? 2 : 8, 1);
    }
  }
}

async function askPeer(peer: Peer, { peer: asked }: Stage, folder: string): Promise<PeerReply> {
  if (!asked) return { missing: "–" };
  const file = join(folder, "request.json");
  await writeFile(file, JSON.stringify(asked.data));
  return peer.ask({ stage: asked.stage, file });
}

const speedOf = ({ rows, cpuSeconds }: Timed) => rows / cpuSeconds;
const formatSpeed = (timed: Timed) => Number(speedOf(timed).toPrecision(3)).toLocaleString("en");

/** One row for each way we do it. */
async function measure(stage: Stage, peer: Peer, folder: string): Promise<readonly string[][]> {
  const timed: { readonly how: string; readonly time: Timed }[] = [];
  for (const { how, run } of stage.ours) timed.push({ how, time: await run() });
  const reply = await askPeer(peer, stage, folder);
  const theirs = "seconds" in reply ? reply : null;
  const failed = "missing" in reply ? reply.missing : "error" in reply ? reply.error : "";
  return timed.map(({ how, time }) => [
    stage.name,
    how,
    formatSpeed(time),
    time.seconds.toFixed(2),
    theirs ? formatSpeed(theirs) : failed,
    theirs ? formatRatio(speedOf(time) / speedOf(theirs)) : "–",
    theirs ? (stage.agrees(theirs.answer) ? "yes" : "NO") : "–",
  ]);
}

async function main(): Promise<void> {
  const options = readOptions();
  const script = join(process.env.FUSESTUDIO_BENCH ?? "bench", "peers_fuse.py");
  if (!existsSync(script)) throw new Error(`${script} is missing`);
  const python = process.env.FUSESTUDIO_PYTHON ?? "python3";
  const peer: Peer = await startContender(python, [script]);
  const folder = await mkdtemp(join(tmpdir(), "fusestudio-bench-"));
  const rows: string[][] = [];
  try {
    console.log(`beside ${peer.version ?? "NOT RUN"}\n`);
    for await (const stage of stagesOf(options)) {
      console.error(`… ${stage.name}`);
      rows.push(...(await measure(stage, peer, folder)));
    }
  } finally {
    await peer.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const head = ["stage", "ours", "rows/s", "s", "peer rows/s", "ratio", "same answers"];
  console.log("rows/s: of processor time, all threads together; s: by the clock\n");
  console.log(formatTable(head, rows));
}

await runMain(main);
