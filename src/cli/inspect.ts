import { resolve } from "node:path";
import {
  type Checkpoint,
  type CheckpointTensor,
  storedCard,
} from "../engine/checkpoint/checkpoint.ts";
import { escapeUnseen } from "../engine/contract/index.ts";
import { mergeRole } from "../engine/core/tensor/dtype.ts";
import { measureTensor } from "../engine/inspect/inspect.ts";
import { closing } from "./closing.ts";
import { type Call, type Command, columnWidth, formatBytes, type Outcome } from "./command.ts";
import { openModel } from "./openModel.ts";

/** Complex and sub-byte tensors are described; their values are not read. */
const NO_STATISTICS = {
  mean: null,
  std: null,
  min: null,
  max: null,
  absMax: null,
  l1: null,
  l2: null,
  zeros: null,
  nan: null,
  inf: null,
};
const NO_DELTA = {
  deltaL2: null,
  relative: null,
  cosine: null,
  signFlips: null,
  maxAbsDelta: null,
};

type Row = Awaited<ReturnType<typeof describeTensor>>;

const isReadable = ({ dtype }: CheckpointTensor) => mergeRole(dtype) !== "describe";

/** The other checkpoint's tensor, where the two can be compared. */
function counterpart(tensor: CheckpointTensor, other: Checkpoint): CheckpointTensor | null {
  const found = other.tensors.get(tensor.name);
  const fits = found && isReadable(found) && found.shape.join() === tensor.shape.join();
  return fits ? found : null;
}

async function describeTensor(
  tensor: CheckpointTensor,
  other: Checkpoint | null,
  signal: AbortSignal,
) {
  const { shape, elementCount } = tensor;
  const about = { shape, dtype: storedCard(tensor).dtype, count: elementCount };
  if (!isReadable(tensor)) return { ...about, ...NO_STATISTICS, ...(other ? NO_DELTA : {}) };
  const against = other && counterpart(tensor, other);
  const { statistics, against: delta } = await measureTensor(tensor, against, signal);
  return { ...about, ...statistics, ...(other ? (delta ?? NO_DELTA) : {}) };
}

function formatNumber(value: number | null | undefined): string {
  return (value === null || value === undefined ? "–" : value.toPrecision(4)).padStart(11);
}

function formatTable(tensors: ReadonlyMap<string, Row>, compared: boolean): string {
  const columns = compared
    ? (["mean", "std", "l2", "deltaL2", "relative", "cosine"] as const)
    : (["mean", "std", "min", "max", "l2"] as const);
  const shown = [...tensors].map(([name, row]) => [escapeUnseen(name), row] as const);
  const width = columnWidth(
    shown.map(([name]) => name),
    "tensor",
  );
  const head = `${"tensor".padEnd(width)} ${"dtype".padEnd(8)} ${"shape".padEnd(16)} ${columns
    .map((column) => column.padStart(11))
    .join(" ")}  nan inf`;
  const lines = shown.map(([name, row]) => {
    const values: Readonly<Record<string, unknown>> = row;
    const numbers = columns.map((column) => formatNumber(values[column] as number | null));
    const shape = row.shape.join(" × ").padEnd(16);
    return `${name.padEnd(width)} ${row.dtype.padEnd(8)} ${shape} ${numbers.join(" ")}  ${row.nan ?? "–"} ${row.inf ?? "–"}`;
  });
  return [head, ...lines].join("\n");
}

/** `studio inspect`: statistics per tensor, on the CPU in float64. */
export const inspect: Command = {
  positionals: ["MODEL"],
  summary: "Statistics of every tensor, and of its difference to another checkpoint. Needs no GPU.",
  options: {
    against: { value: "MODEL", help: "Compare with this checkpoint: MODEL minus the other." },
  },
  run: (call) =>
    closing(async (keep) => {
      const open = async (path: string) => {
        const { checkpoint, files } = await openModel(resolve(path));
        keep(files);
        return checkpoint;
      };
      const { positionals, options } = call;
      const model = await open(positionals[0] ?? "");
      return compare(
        model,
        options.against === undefined ? null : await open(options.against),
        call,
      );
    }),
};

async function compare(
  checkpoint: Checkpoint,
  other: Checkpoint | null,
  { signal, say, progress }: Pick<Call, "signal" | "say" | "progress">,
): Promise<Outcome> {
  for (const { name, notes } of other ? [checkpoint, other] : [checkpoint]) {
    for (const note of notes) say(`note: ${name}: ${note}`);
  }
  const sizes = [...checkpoint.tensors.values()].map(({ byteLength }) => byteLength);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const tensors = new Map<string, Row>();
  let done = 0;
  for (const tensor of checkpoint.tensors.values()) {
    progress(done, total, tensor.name);
    tensors.set(tensor.name, await describeTensor(tensor, other, signal));
    done += tensor.byteLength;
  }
  const missing = other
    ? [...other.tensors.keys()].filter((name) => !checkpoint.tensors.has(name))
    : [];
  for (const name of missing) say(`note: only ${other?.name} has "${name}"`);
  return {
    json: {
      tensors: Object.fromEntries(tensors),
      ...(other ? { onlyInAgainst: missing } : {}),
    },
    text: `${formatTable(tensors, other !== null)}\n${tensors.size} tensors, ${formatBytes(total)}`,
  };
}
