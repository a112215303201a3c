import { type CheckpointTensor, readTensor } from "../checkpoint/checkpoint.ts";
import {
  type DeltaStatistics,
  EngineError,
  type TensorInspection,
  type TensorStatistics,
} from "../contract/index.ts";
import { toF64 } from "../core/tensor/convert.ts";
import { bitsPerElement } from "../core/tensor/dtype.ts";
import { DeltaGatherer, type Range } from "./delta.ts";
import { HistogramGatherer } from "./histogram.ts";
import { StatisticsGatherer } from "./statistics.ts";

/** Elements of a chunk: 8 MiB as float64, small enough not to block a page. */
const CHUNK_ELEMENTS = 2 ** 20;

async function readValues(tensor: CheckpointTensor, first: number, count: number) {
  const elementBytes = bitsPerElement(tensor.dtype) / 8;
  const bytes = await readTensor(tensor, first * elementBytes, count * elementBytes);
  return toF64(bytes, tensor.dtype);
}

/** Reads both tensors' values chunk by chunk, in float64. */
async function eachChunk(
  tensor: CheckpointTensor,
  against: CheckpointTensor | null,
  signal: AbortSignal | undefined,
  take: (values: Float64Array, others: Float64Array | null) => void,
): Promise<void> {
  for (let first = 0; first < tensor.elementCount; first += CHUNK_ELEMENTS) {
    signal?.throwIfAborted();
    const count = Math.min(CHUNK_ELEMENTS, tensor.elementCount - first);
    const [values, others] = await Promise.all([
      readValues(tensor, first, count),
      against ? readValues(against, first, count) : null,
    ]);
    take(values, others);
  }
}

function checkComparable(tensor: CheckpointTensor, against: CheckpointTensor): void {
  if (tensor.shape.join() === against.shape.join()) return;
  throw new EngineError(
    "mismatch",
    `"${tensor.name}" has shape [${tensor.shape}] here and [${against.shape}] in the other checkpoint.`,
    { tensor: tensor.name, shape: String(tensor.shape), otherShape: String(against.shape) },
  );
}

interface Measured {
  readonly statistics: TensorStatistics;
  readonly against: DeltaStatistics | null;
  /**
   * Range of the difference where there is an `against`, else of the values; null without finite
   * values.
   */
  readonly range: Range | null;
}

/**
 * Statistics of one tensor, and of its difference to another, in one pass. On the CPU in float64:
 * exact, and independent of WebGPU. `bad-dtype` for complex and sub-byte.
 */
export async function measureTensor(
  tensor: CheckpointTensor,
  against: CheckpointTensor | null,
  signal?: AbortSignal,
): Promise<Measured> {
  if (against) checkComparable(tensor, against);
  const gatherer = new StatisticsGatherer();
  const delta = new DeltaGatherer();
  await eachChunk(tensor, against, signal, (values, others) => {
    gatherer.add(values);
    if (others) delta.add(values, others);
  });
  const statistics = gatherer.result();
  const { min, max } = statistics;
  const own = min !== null && max !== null ? { min, max } : null;
  return {
    statistics,
    against: against ? delta.result() : null,
    range: against ? delta.range() : own,
  };
}

/** Statistics and histogram of one tensor; the histogram takes a second pass. */
export async function inspectTensor(
  tensor: CheckpointTensor,
  against: CheckpointTensor | null,
  signal?: AbortSignal,
): Promise<TensorInspection> {
  const { range, ...numbers } = await measureTensor(tensor, against, signal);
  if (!range) return { tensor: tensor.name, ...numbers, histogram: null };
  const counts = new HistogramGatherer(range.min, range.max);
  await eachChunk(tensor, against, signal, (values, others) =>
    counts.add(others ? values.map((value, i) => value - (others[i] as number)) : values),
  );
  return { tensor: tensor.name, ...numbers, histogram: counts.result() };
}
