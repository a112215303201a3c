import type { FileTree, FileTreeWriter } from "../core/bytes.ts";
import { invariant } from "../core/invariant.ts";
import { mapOrdered } from "../gpu/tiles/ordered.ts";
import { type CheckpointTensor, readTensor } from "./checkpoint.ts";
import type { PlannedFile, ShardPlan } from "./formats/safetensors/shards.ts";
import { type Piece, type WriteOptions, writeShards } from "./writeShards.ts";

/** Bytes read at once. */
const PIECE_BYTES = 4 * 2 ** 20;
/** Pieces that are read while one is written. */
const AHEAD = 2;

/**
 * Writes tensors as they are read, of a checkpoint or of a view that computes them, into planned
 * shards, and the files beside them. Goes on where the writer stopped; memory is some pieces.
 */
export async function writeCheckpoint(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  { shards, sideFiles }: { readonly shards: ShardPlan; readonly sideFiles: FileTree },
  writer: FileTreeWriter,
  options: WriteOptions,
): Promise<void> {
  async function* pieces(file: PlannedFile, from: number): AsyncGenerator<Piece> {
    yield* mapOrdered(cutFile(file, from), AHEAD, async ({ name, start, first, length }) => {
      const tensor = tensors.get(name);
      invariant(tensor, `"${name}" is to be written`);
      return { start, bytes: await readTensor(tensor, first, length), label: name };
    });
  }
  await writeShards({ files: shards.files, sideFiles, pieces }, writer, options);
}

/** Ranges of a file's tensors that are not written yet; a range begins at a whole element. */
function* cutFile({ tensors }: PlannedFile, from: number) {
  for (const { name, start, byteLength } of tensors) {
    for (let first = 0; first < byteLength; first += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, byteLength - first);
      if (start + first + length > from) yield { name, start: start + first, first, length };
    }
  }
}
