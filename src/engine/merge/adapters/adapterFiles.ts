import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { planShards } from "../../checkpoint/formats/safetensors/shards.ts";
import { type ByteSource, bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { invariant } from "../../core/invariant.ts";

/** The two files of a PEFT adapter; the weights are computed as they are read. */
export function adapterTree(config: string, tensors: readonly CheckpointTensor[]): FileTree {
  return new Map([
    ["adapter_config.json", bytesInMemory(new TextEncoder().encode(config))],
    ["adapter_model.safetensors", safetensorsSource(tensors)],
  ]);
}

/** A safetensors file of tensors, each read from where it lies or is computed. */
function safetensorsSource(tensors: readonly CheckpointTensor[]): ByteSource {
  const { files } = planShards(tensors, { maxBytes: Number.MAX_SAFE_INTEGER, metadata: {} });
  const [file] = files;
  invariant(file, "an adapter has tensors");
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const header = {
    start: 0,
    byteLength: file.header.byteLength,
    source: bytesInMemory(file.header),
  };
  const parts = [
    header,
    ...file.tensors.map(({ name, start, byteLength }) => {
      const tensor = byName.get(name)!;
      const read = (from: number, length: number) => readTensor(tensor, from, length);
      return { start, byteLength, source: { read } };
    }),
  ];
  return {
    byteLength: file.byteLength,
    async read(start, length) {
      const bytes = new Uint8Array(length);
      for (const part of parts) {
        const from = Math.max(start, part.start);
        const end = Math.min(start + length, part.start + part.byteLength);
        if (from >= end) continue;
        bytes.set(await part.source.read(from - part.start, end - from), from - start);
      }
      return bytes;
    },
  };
}
