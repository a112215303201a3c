import {
  type Checkpoint,
  type CheckpointTensor,
  readTensor,
  roundedTensor,
} from "../checkpoint/checkpoint.ts";
import { companionFiles } from "../checkpoint/companions.ts";
import { rewriteConfig } from "../checkpoint/config.ts";
import {
  type PlannedFile,
  planShards,
  type ShardPlan,
} from "../checkpoint/formats/safetensors/shards.ts";
import { type Piece, type WriteOptions, writeShards } from "../checkpoint/writeShards.ts";
import type { DType, OutputDType } from "../contract/index.ts";
import {
  type ByteSource,
  bytesInMemory,
  type FileTree,
  type FileTreeWriter,
} from "../core/bytes.ts";
import { invariant } from "../core/invariant.ts";
import { fromF32, toF32 } from "../core/tensor/convert.ts";
import { byteLength, isOutputDType, mergeRole } from "../core/tensor/dtype.ts";
import type { TrainedFactors } from "./adapterFiles.ts";

/** Elements computed at once. */
const TILE_ELEMENTS = 2 ** 20;

/** Trained values on the CPU: LoRA factors, or every weight, by the checkpoint's names. */
export type Trained =
  | { readonly kind: "lora"; readonly factors: readonly TrainedFactors[] }
  | {
      readonly kind: "full";
      /** Values [first, first + count) of a tensor; null where it was not trained. */
      read(tensor: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> | null;
    };

export interface TargetPlan {
  readonly shards: ShardPlan;
  readonly byteLength: number;
  /** Source tensor of each written tensor. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly dtypes: ReadonlyMap<string, DType>;
  /** Files beside the weights. */
  readonly files: FileTree;
}

const isFloat = ({ dtype }: CheckpointTensor) => {
  const role = mergeRole(dtype);
  return role === "gpu" || role === "convert";
};

/**
 * The files of a trained checkpoint: the pivot's tensors in its order, in `dtype` or as they are. A
 * head of its own is written where the pivot's is tied and one of the two was trained by itself.
 */
export function planTarget(
  pivot: Checkpoint,
  options: {
    readonly dtype: OutputDType | null;
    /** Whether a tensor is computed: it becomes F32 where its own dtype cannot be rounded to. */
    computes(name: string): boolean;
    /** Name of a head to write beside the embedding that it was tied to, or null. */
    readonly untied: { readonly head: string; readonly embedding: string } | null;
    readonly files: FileTree;
    readonly shardBytes: number;
  },
): TargetPlan {
  // The pivot ran on the rounded values of its 8-bit weights, so the change is added to those.
  const tensors = new Map([...pivot.tensors].map(([name, it]) => [name, roundedTensor(it)]));
  if (options.untied) {
    const { head, embedding } = options.untied;
    tensors.set(head, { ...(tensors.get(embedding) as CheckpointTensor), name: head });
  }
  const dtypes = new Map<string, DType>();
  for (const [name, tensor] of tensors) {
    const own = options.computes(name) && !isOutputDType(tensor.dtype) ? "F32" : tensor.dtype;
    dtypes.set(name, options.dtype && isFloat(tensor) ? options.dtype : own);
  }
  const shards = planShards(
    [...tensors].map(([name, { shape }]) => ({ name, shape, dtype: dtypes.get(name) as DType })),
    { maxBytes: options.shardBytes, metadata: {} },
  );
  const files = new Map<string, ByteSource>();
  if (pivot.config) {
    const changes = {
      ...(options.dtype ? { dtype: options.dtype } : {}),
      ...(options.untied ? { tied: false } : {}),
    };
    files.set("config.json", inMemory(rewriteConfig(pivot.config.text, changes)));
  }
  for (const [path, source] of companionFiles(pivot)) files.set(path, source);
  for (const [path, source] of options.files) files.set(path, source);
  if (shards.index !== null) files.set(shards.indexPath, inMemory(shards.index));
  const weights = shards.files.reduce((sum, file) => sum + file.byteLength, 0);
  const beside = [...files.values()].reduce((sum, source) => sum + source.byteLength, 0);
  return { shards, byteLength: weights + beside, tensors, dtypes, files };
}

const inMemory = (text: string): ByteSource => bytesInMemory(new TextEncoder().encode(text));

/**
 * Writes the files from where their sinks stopped. W' = W + scale · B · A in float64, rounded once to
 * the written dtype; memory is a tile, whatever the model's size.
 */
export async function writeTarget(
  plan: TargetPlan,
  trained: Trained,
  writer: FileTreeWriter,
  options: WriteOptions,
): Promise<void> {
  async function* pieces({ tensors }: PlannedFile, from: number): AsyncGenerator<Piece> {
    for (const { name, start, byteLength: size } of tensors) {
      if (start + size <= from) continue;
      const tensor = plan.tensors.get(name);
      const dtype = plan.dtypes.get(name);
      invariant(tensor && dtype, `"${name}" is planned`);
      for (const tile of tilesOf(tensor)) {
        const at = start + byteLength(dtype, tile.first);
        if (at + byteLength(dtype, tile.count) <= from) continue;
        const bytes = await computeTile(name, tensor, dtype, trained, tile);
        yield { start: at, bytes, label: name };
      }
    }
  }
  await writeShards({ files: plan.shards.files, sideFiles: plan.files, pieces }, writer, options);
}

interface Tile {
  readonly first: number;
  readonly count: number;
}

/** Tiles of whole rows; of tensors that are no matrix, stretches. */
function* tilesOf({ shape, elementCount }: CheckpointTensor): Generator<Tile> {
  const columns = shape.length === 2 ? shape[1]! : 1;
  const length = Math.max(1, Math.floor(TILE_ELEMENTS / columns)) * columns;
  for (let first = 0; first < elementCount; first += length) {
    yield { first, count: Math.min(length, elementCount - first) };
  }
}

async function computeTile(
  name: string,
  tensor: CheckpointTensor,
  dtype: DType,
  trained: Trained,
  { first, count }: Tile,
): Promise<Uint8Array<ArrayBuffer>> {
  if (trained.kind === "full") {
    const values = await trained.read(name, first, count);
    if (values) return fromF32(values, dtype as OutputDType);
  }
  const start = byteLength(tensor.dtype, first);
  const stored = await readTensor(tensor, start, byteLength(tensor.dtype, first + count) - start);
  const factors =
    trained.kind === "lora" ? trained.factors.filter(({ tensor: own }) => own === name) : [];
  if (factors.length === 0 && dtype === tensor.dtype) return stored;
  const values = Float64Array.from(toF32(stored, tensor.dtype));
  for (const factor of factors)
    addDelta(values, factor, first / tensor.shape[1]!, tensor.shape[1]!);
  return fromF32(Float32Array.from(values), dtype as OutputDType);
}

/** values[r, c] += scale · (B · A)[r, c], or [c, r] where the tensor is stored transposed. */
export function addDelta(
  values: Float64Array,
  { adapter, a, b }: TrainedFactors,
  firstRow: number,
  columns: number,
): void {
  const rank = adapter.a.shape[0]!;
  const inputs = adapter.a.shape[1]!;
  const turned = adapter.layout === "in_out";
  for (let at = 0, row = firstRow; at < values.length; at += columns, row++) {
    for (let r = 0; r < rank; r++) {
      const left = adapter.scale * (turned ? a[r * inputs + row]! : b[row * rank + r]!);
      if (left === 0) continue;
      for (let c = 0; c < columns; c++) {
        values[at + c]! += left * (turned ? b[c * rank + r]! : a[r * inputs + c]!);
      }
    }
  }
}
