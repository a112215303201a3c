import { readTensor } from "../checkpoint/checkpoint.ts";
import type { FileTreeWriter } from "../core/bytes.ts";
import type { AdapterFolder } from "./adapterFolder.ts";
import type { OutcomeStore } from "./outcomes.ts";

const WEIGHTS = "adapter_model.safetensors";
/** Bytes of a tensor of the model that are copied at once. */
const PIECE_BYTES = 8 * 2 ** 20;

/** Bytes of the weights' file, each piece with its first byte's place. */
async function* weightPieces(
  { header, tensors }: AdapterFolder,
  outcomes: Pick<OutcomeStore, "factors">,
  from: number,
): AsyncGenerator<{ readonly start: number; readonly bytes: Uint8Array<ArrayBuffer> }> {
  yield { start: 0, bytes: header };
  let read = { index: -1, factors: new Uint8Array(0) };
  for (const { start, byteLength, from: source } of tensors) {
    if (start + byteLength <= from) continue;
    if (source.kind === "model") {
      for (let at = 0; at < byteLength; at += PIECE_BYTES) {
        const length = Math.min(PIECE_BYTES, byteLength - at);
        if (start + at + length <= from) continue;
        yield { start: start + at, bytes: await readTensor(source.tensor, at, length) };
      }
      continue;
    }
    const { index } = source;
    if (read.index !== index) read = { index, factors: await outcomes.factors(index) };
    yield { start, bytes: read.factors.slice(source.start, source.start + byteLength) };
  }
}

/** Writes the adapter from where its files stopped; memory is that of one matrix's factors. */
export async function writeAdapter(
  folder: AdapterFolder,
  outcomes: Pick<OutcomeStore, "factors">,
  writer: FileTreeWriter,
  signal: AbortSignal,
): Promise<void> {
  const weights = await writer.open(WEIGHTS, folder.weightBytes);
  try {
    let position = weights.durableBytes;
    for await (const { start, bytes } of weightPieces(folder, outcomes, position)) {
      signal.throwIfAborted();
      const fresh = bytes.subarray(Math.min(bytes.byteLength, Math.max(0, position - start)));
      if (fresh.byteLength === 0) continue;
      await weights.append(fresh);
      position += fresh.byteLength;
    }
  } finally {
    await weights.flush();
  }
  for (const [path, source] of folder.files) {
    const sink = await writer.open(path, source.byteLength);
    const { durableBytes } = sink;
    if (durableBytes < source.byteLength) {
      await sink.append(await source.read(durableBytes, source.byteLength - durableBytes));
    }
    await sink.flush();
  }
  await writer.seal();
}
