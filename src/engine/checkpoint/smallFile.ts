import { EngineError } from "../contract/index.ts";
import { type ByteSource, readAll } from "../core/bytes.ts";
import { refusePointer } from "./lfsPointer.ts";

/**
 * Text of a small file; Git-LFS pointers are refused as such, `bad-config` where it is too large.
 */
export async function readText(source: ByteSource, path: string, limit: number): Promise<string> {
  if (source.byteLength > limit) {
    throw new EngineError(
      "bad-config",
      `${path} has ${source.byteLength} bytes; at most ${limit} are read.`,
      { file: path, byteLength: source.byteLength, maxBytes: limit },
    );
  }
  await refusePointer(source, path);
  return new TextDecoder().decode(await readAll(source, limit));
}

/** First names of a list, and the number of the others. */
export function listSome(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
