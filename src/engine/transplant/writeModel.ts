import { type CheckpointTensor, readTensor } from "../checkpoint/checkpoint.ts";
import { copyFile } from "../checkpoint/copy.ts";
import type { PlannedFile, ShardPlan } from "../checkpoint/formats/safetensors/shards.ts";
import type { ByteSink, ByteSource, FileTree, FileTreeWriter } from "../core/bytes.ts";

interface WriteOptions {
  readonly signal: AbortSignal;
  /** Called with the bytes of weights that are written, those of earlier runs included. */
  progress(doneBytes: number): void;
}

/** A planned file as bytes that are read from its tensors. */
function fileSource(
  { header, byteLength, tensors }: PlannedFile,
  views: ReadonlyMap<string, CheckpointTensor>,
): ByteSource {
  return {
    byteLength,
    async read(start, length) {
      const bytes = new Uint8Array(length);
      const put = (part: Uint8Array, at: number) => bytes.set(part, at - start);
      if (start < header.byteLength) put(header.subarray(start, start + length), start);
      for (const slot of tensors) {
        const from = Math.max(start, slot.start);
        const to = Math.min(start + length, slot.start + slot.byteLength);
        if (from >= to) continue;
        put(await readTensor(views.get(slot.name)!, from - slot.start, to - from), from);
      }
      return bytes;
    },
  };
}

/** Writes tensors and the files beside them, each from where its sink stopped; memory is a piece. */
export async function writeModel(
  shards: ShardPlan,
  views: ReadonlyMap<string, CheckpointTensor>,
  beside: FileTree,
  writer: FileTreeWriter,
  { signal, progress }: WriteOptions,
): Promise<void> {
  let written = 0;
  for (const file of shards.files) {
    const sink = await writer.open(file.path, file.byteLength);
    const onBytes = (done: number) => progress(written + done);
    await copyFile(fileSource(file, views), sink, { signal, onBytes });
    written += file.byteLength;
  }
  for (const [path, source] of beside) {
    const sink: ByteSink = await writer.open(path, source.byteLength);
    await copyFile(source, sink, { signal, onBytes: () => undefined });
  }
  await writer.seal();
}
