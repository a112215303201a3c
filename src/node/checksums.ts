import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileTreeWriter } from "../engine/core/bytes.ts";
import { formatSum } from "../engine/storage/hash.ts";
import type { FolderWriter } from "./folderWriter.ts";

const SUMS = "SHA256SUMS";

/**
 * The same writer, which adds SHA256SUMS of all files when it seals, in the format of `sha256sum
 * -c`.
 */
export function withChecksums(writer: FolderWriter): FileTreeWriter {
  const hashes = new Map<string, Hash>();
  return {
    async open(path, byteLength) {
      const sink = await writer.open(path, byteLength);
      const hash = createHash("sha256");
      hashes.set(path, hash);
      // Bytes of an earlier run are missing from this run's hash, so the file is read again.
      const { durableBytes } = sink;
      if (durableBytes > 0) {
        const written = createReadStream(await writer.locate(path), { end: durableBytes - 1 });
        for await (const chunk of written) hash.update(chunk);
      }
      return {
        get durableBytes() {
          return sink.durableBytes;
        },
        append(bytes) {
          const written = sink.append(bytes); // the disk works while the hash is computed
          hash.update(bytes);
          return written;
        },
        flush: () => sink.flush(),
      };
    },
    async seal() {
      const lines = [...hashes].map(([path, hash]) => formatSum(hash.digest("hex"), path));
      const text = new TextEncoder().encode(lines.sort().join(""));
      const sink = await writer.open(SUMS, text.byteLength);
      if (sink.durableBytes < text.byteLength) await sink.append(text.slice(sink.durableBytes));
      await sink.flush();
      await writer.seal();
    },
  };
}
