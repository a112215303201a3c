import { acquireGpu, type Gpu } from "../src/engine/gpu/device.ts";
import { type MatmulContender, makeOnnxRuntime, makeOurs, timeMatmuls } from "./nnMatmul.ts";
import { type BenchModel, measureMemory, timeSpeeds } from "./nnModels.ts";
import { formatRatio, formatTable } from "./table.ts";

export interface NnOptions {
  readonly parts: readonly ("matmul" | "tokens" | "memory")[];
  /** Models whose tokens are timed. */
  readonly timed: readonly BenchModel[];
  /** Models whose memory is measured. */
  readonly measured: readonly BenchModel[];
  readonly repetitions: number;
  /** Told of every row as it is known: the tables take minutes. */
  readonly note: (text: string) => void;
  /** Contenders that bring their own types. */
  readonly makeOthers: (gpu: Gpu) => Promise<readonly MatmulContender[]>;
}

const OURS = 2;

function formatSpeed(speed: number | string | undefined): string {
  return typeof speed === "number" ? speed.toPrecision(3) : (speed ?? "–");
}

async function reportMatmuls(gpu: Gpu, options: NnOptions): Promise<string> {
  const contenders = [
    makeOurs(gpu, "cpu"),
    makeOurs(gpu, "gpu"),
    makeOnnxRuntime(gpu),
    ...(await options.makeOthers(gpu)),
  ];
  const times = await timeMatmuls(gpu, contenders, options);
  const best = (speeds: readonly (number | string)[]) =>
    Math.max(...speeds.filter((speed) => typeof speed === "number"));
  const rows = times.map(({ shape, speeds }) => [
    `${shape.name}: ${shape.rows}×${shape.inputs}×${shape.outputs}`,
    ...speeds.map(formatSpeed),
    formatRatio(best(speeds.slice(0, OURS)) / best(speeds.slice(OURS))),
  ]);
  const head = ["rows×inputs×outputs", ...contenders.map(({ name }) => name), "ours / best other"];
  return formatTable(head, rows);
}

async function reportSpeeds(gpu: Gpu, { timed, repetitions, note }: NnOptions): Promise<string> {
  const rows: string[][] = [];
  for (const model of timed) {
    for await (const { engine, context, ...speeds } of timeSpeeds(gpu, model, repetitions)) {
      const { prefillTokensPerSecond: prefill, decodeTokensPerSecond: decode } = speeds;
      const row = [model.name, engine, String(context), prefill.toFixed(1), decode.toFixed(1)];
      rows.push(row);
      note(row.join(" "));
    }
  }
  return formatTable(["model", "engine", "prompt", "prefill tokens/s", "decode tokens/s"], rows);
}

async function reportMemory(webgpu: GPU | undefined, options: NnOptions): Promise<string> {
  const rows: string[][] = [];
  for (const model of options.measured) {
    for (const { context, plannedBytes, peakBytes } of await measureMemory(webgpu, model)) {
      const off = 100 * (peakBytes / plannedBytes - 1);
      const [planned, peak] = [plannedBytes, peakBytes].map((bytes) => (bytes / 1e6).toFixed(3));
      rows.push([model.name, String(context), planned ?? "", peak ?? "", `${off.toFixed(2)} %`]);
    }
  }
  return formatTable(["model", "context", "planned MB", "peak MB", "peak − planned"], rows);
}

/** The parts of the report that are wanted, as Markdown, each when it is done. */
export async function* reportNn(webgpu: GPU | undefined, options: NnOptions) {
  const { parts } = options;
  if (parts.includes("memory")) {
    yield `## Memory of the pool\n\n${await reportMemory(webgpu, options)}\n`;
  }
  const gpu = await acquireGpu(webgpu);
  if (parts.includes("matmul")) {
    const table = await reportMatmuls(gpu, options);
    yield `## Matrix multiplication, f32, GFLOP/s\n${gpu.name}\n\n${table}\n`;
  }
  if (parts.includes("tokens")) {
    yield `## Tokens per second\n${gpu.name}\n\n${await reportSpeeds(gpu, options)}\n`;
  }
  gpu.destroy();
}
