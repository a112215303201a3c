import { PLAIN_FORMATS } from "../src/engine/core/tensor/weightFormat.ts";
import { acquireGpu, type Gpu } from "../src/engine/gpu/device.ts";
import { MATMUL_FORMS } from "../src/engine/runtime/kernels/matmulKernels.ts";
import { decideContests } from "../src/engine/runtime/tuning/tune.ts";
import { matmulChoice, matmulContests } from "../src/engine/runtime/tuning/tuneMatmul.ts";
import {
  type MatmulContender,
  makeOnnxRuntime,
  makeOurs,
  SHAPES,
  timeMatmuls,
} from "./nnMatmul.ts";
import { type BenchModel, measureMemory, measureOnnxMemory, timeSpeeds } from "./nnModels.ts";
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

/** Milliseconds for the tuner to decide about all shapes: the bench wants its answer, not its speed. */
const TUNING_MS = 20_000;

function formatSpeed(speed: number | string | undefined): string {
  return typeof speed === "number" ? speed.toPrecision(3) : (speed ?? "–");
}

async function reportMatmuls(gpu: Gpu, options: NnOptions): Promise<string> {
  const { features } = gpu.device;
  const ours = MATMUL_FORMS.filter((form) => form !== "subgroups" || features.has("subgroups"));
  const contenders = [
    ...ours.map((form) => makeOurs(gpu, form)),
    makeOnnxRuntime(gpu),
    ...(await options.makeOthers(gpu)),
  ];
  const shapes = SHAPES.map(
    (shape) => ({ ...shape, format: PLAIN_FORMATS.F32, layout: "out_in" }) as const,
  );
  const winners = await decideContests(gpu, matmulContests(gpu, shapes), TUNING_MS);
  const choose = matmulChoice(gpu, winners);
  const times = await timeMatmuls(gpu, contenders, options);
  const best = (speeds: readonly (number | string)[]) =>
    Math.max(...speeds.filter((speed) => typeof speed === "number"));
  const rows = times.map(({ shape, speeds }) => {
    const chosen = choose({ ...shape, format: PLAIN_FORMATS.F32, layout: "out_in" });
    const own = speeds[contenders.findIndex(({ name }) => name === chosen)];
    const ratio = typeof own === "number" ? own / best(speeds.slice(ours.length)) : Number.NaN;
    const name = `${shape.name}: ${shape.rows}×${shape.inputs}×${shape.outputs}`;
    return [name, ...speeds.map(formatSpeed), chosen, formatRatio(ratio)];
  });
  const names = contenders.map(({ name }) => name);
  return formatTable(["rows×inputs×outputs", ...names, "chosen", "chosen / best other"], rows);
}

async function reportSpeeds(gpu: Gpu, { timed, repetitions, note }: NnOptions): Promise<string> {
  const rows: string[][] = [];
  for (const model of timed) {
    for await (const { engine, context, rounds, ...speeds } of timeSpeeds(
      gpu,
      model,
      repetitions,
    )) {
      const { prefillTokensPerSecond: prefill, decodeTokensPerSecond: decode } = speeds;
      const name = [model.name, engine, String(context), String(rounds)];
      const row = [...name, prefill.toFixed(1), decode.toFixed(1)];
      rows.push(row);
      note(row.join(" "));
    }
  }
  return formatTable(
    ["model", "engine", "prompt", "rounds", "prefill tokens/s", "decode tokens/s"],
    rows,
  );
}

async function reportMemory(webgpu: GPU | undefined, options: NnOptions): Promise<string> {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(3);
  const rows: string[][] = [];
  for (const model of options.measured) {
    for (const row of await measureMemory(webgpu, model)) {
      const off = 100 * (row.peakBytes / row.plannedBytes - 1);
      const [planned, peak] = [megabytes(row.plannedBytes), megabytes(row.peakBytes)];
      const name = [row.model, "ours", String(row.context)];
      rows.push([...name, planned, peak, `${off.toFixed(2)} %`, megabytes(row.deviceBytes)]);
      options.note(rows.at(-1)?.join(" ") ?? "");
    }
    for (const { context, deviceBytes } of await measureOnnxMemory(webgpu, model)) {
      const name = [model.name, "ONNX Runtime", String(context)];
      rows.push([...name, "–", "–", "–", megabytes(deviceBytes)]);
      options.note(rows.at(-1)?.join(" ") ?? "");
    }
  }
  const head = ["model", "engine", "context", "planned MB", "peak MB", "peak − planned"];
  return formatTable([...head, "all buffers of the device, MB"], rows);
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
