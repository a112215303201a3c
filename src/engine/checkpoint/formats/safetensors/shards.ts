import type { DType } from "../../../contract/index.ts";
import { invariant } from "../../../core/invariant.ts";
import { bitsPerElement, byteLength } from "../../../core/tensor/dtype.ts";

/** A tensor to be written. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Location of a tensor in its file. */
export interface PlannedSlot {
  readonly name: string;
  /** First byte of the tensor, counted from the file's first. */
  readonly start: number;
  readonly byteLength: number;
}

/** One safetensors file: its header as it is written, and its tensors in the order of their bytes. */
export interface PlannedFile {
  readonly path: string;
  readonly header: Uint8Array<ArrayBuffer>;
  readonly byteLength: number;
  readonly tensors: readonly PlannedSlot[];
}

export interface ShardPlan {
  readonly files: readonly PlannedFile[];
  /** Text of the index; null for a single file. */
  readonly index: string | null;
  /** `model.safetensors.index.json`. */
  readonly indexPath: string;
}

interface Sized extends TensorToWrite {
  readonly elementCount: number;
  readonly byteLength: number;
}

/**
 * Plans the files of a checkpoint before the first byte is written. Tensors keep their order over
 * the files; within a file wider dtypes come first, since torch cannot view a tensor that is not
 * aligned to its element. `maxBytes` limits the tensors' bytes in a file, without its header; a
 * larger tensor gets its own file.
 */
export function planShards(
  tensors: readonly TensorToWrite[],
  options: {
    readonly maxBytes: number;
    /** Metadata of the header, beside `format: pt`. */
    readonly metadata: Readonly<Record<string, string>>;
    /** Name of the files before the ending; `model` by default. */
    readonly stem?: string;
  },
): ShardPlan {
  const { maxBytes, metadata, stem = "model" } = options;
  invariant(maxBytes > 0, "a shard holds at least a byte");
  const sized = tensors.map((tensor): Sized => {
    const elementCount = tensor.shape.reduce((product, axis) => product * axis, 1);
    return { ...tensor, elementCount, byteLength: byteLength(tensor.dtype, elementCount) };
  });
  const names = new Set(tensors.map(({ name }) => name));
  invariant(names.size === tensors.length, "tensors have different names");
  invariant(!names.has("__metadata__"), "no tensor is called __metadata__");

  const shards = cutIntoShards(sized, maxBytes);
  const paths = shards.map((_, i) => shardPath(stem, i, shards.length));
  const files = shards.map((shard, i) => planFile(paths[i]!, shard, metadata));
  const index = shards.length === 1 ? null : formatIndex(sized, files);
  return { files, index, indexPath: `${stem}.safetensors.index.json` };
}

function cutIntoShards(tensors: readonly Sized[], maxBytes: number): readonly Sized[][] {
  const shards: Sized[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    if (bytes > 0 && bytes + tensor.byteLength > maxBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += tensor.byteLength;
  }
  return shards;
}

function shardPath(stem: string, index: number, count: number): string {
  if (count === 1) return `${stem}.safetensors`;
  const five = (value: number) => String(value).padStart(5, "0");
  return `${stem}-${five(index + 1)}-of-${five(count)}.safetensors`;
}

function planFile(
  path: string,
  shard: readonly Sized[],
  metadata: Readonly<Record<string, string>>,
): PlannedFile {
  const ordered = shard.toSorted((a, b) => bitsPerElement(b.dtype) - bitsPerElement(a.dtype));
  // Built as text: an object would lose `__proto__`, a legal tensor name, and reorder numeric
  // names.
  const entries = [`"__metadata__":${JSON.stringify({ ...metadata, format: "pt" })}`];
  let offset = 0;
  for (const { name, dtype, shape, byteLength } of ordered) {
    const info = { dtype, shape, data_offsets: [offset, offset + byteLength] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    offset += byteLength;
  }
  const header = formatHeader(`{${entries.join(",")}}`);
  let start = header.byteLength;
  const slots = ordered.map(({ name, byteLength }) => {
    const slot = { name, start, byteLength };
    start += byteLength;
    return slot;
  });
  return { path, header, byteLength: header.byteLength + offset, tensors: slots };
}

/** Header: length and text, padded with spaces so that the data begins at a multiple of 8. */
function formatHeader(json: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.byteLength / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  return header;
}

function formatIndex(tensors: readonly Sized[], files: readonly PlannedFile[]): string {
  const total = (pick: (tensor: Sized) => number) =>
    tensors.reduce((sum, tensor) => sum + pick(tensor), 0);
  const places = files
    .flatMap((file) => file.tensors.map(({ name }): [string, string] => [name, file.path]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const index = {
    metadata: {
      total_parameters: total(({ elementCount }) => elementCount),
      total_size: total(({ byteLength }) => byteLength),
    },
    weight_map: Object.fromEntries(places),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}
