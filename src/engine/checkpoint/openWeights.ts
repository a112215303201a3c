import { EngineError } from "../contract/index.ts";
import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { CheckpointFormat, OpenedWeights } from "./checkpointFormat.ts";
import { findFormat, isWeightFile, recogniseFormat } from "./formatRegistry.ts";
import { refusePointer } from "./lfsPointer.ts";
import { notACheckpoint } from "./notModels.ts";
import { listSome } from "./smallFile.ts";

/** Bytes from which a file's format is recognised. */
const FIRST_BYTES = 1024;

/**
 * Opens the weights of a folder in the first format that matches. A file whose content is of
 * another format is refused with that format's sentence. Errors: those of the formats, and
 * `missing-file`.
 */
export async function openWeights(files: FileTree, name: string): Promise<OpenedWeights> {
  const format = findFormat([...files.keys()]);
  if (!format) throw await explain(notACheckpoint(files, name), files, null);
  const opened = await format.open(files, name).catch(async (error: unknown) => {
    throw error instanceof EngineError ? await explain(error, files, format) : error;
  });
  const read = new Set(opened.files);
  const unused = [...files.keys()].filter((path) => isWeightFile(path) && !read.has(path));
  const notes = unused.length > 0 ? [`Not read: ${listSome(unused)}.`] : [];
  return { ...opened, notes: [...opened.notes, ...notes] };
}

/** Error for the format that the refused file's bytes are in, or the same error. */
async function explain(
  error: EngineError,
  files: FileTree,
  format: CheckpointFormat | null,
): Promise<unknown> {
  const { file } = error.details;
  const path = typeof file === "string" ? file : files.size === 1 ? [...files.keys()][0]! : "";
  const source = files.get(path);
  if (!source || (format && error.code !== "bad-header" && error.code !== "truncated"))
    return error;
  const first = await source.read(0, Math.min(source.byteLength, FIRST_BYTES));
  if (format?.begins?.(first)) return error;
  return (await refusal(path, source, first)) ?? error;
}

/** Reason why a file with these first bytes cannot be read; null where they are unknown. */
async function refusal(path: string, source: ByteSource, first: Uint8Array): Promise<unknown> {
  try {
    await refusePointer(source, path);
    await recogniseFormat(first)?.open(new Map([[path, source]]), path);
  } catch (error) {
    return error;
  }
  if (!/^\s*<(!doctype|html)/i.test(new TextDecoder("latin1").decode(first.subarray(0, 64)))) {
    return null;
  }
  return new EngineError(
    "bad-header",
    `${path} is a web page, probably an error page that was saved in place of the download. Download the file again.`,
    { file: path, found: "HTML" },
  );
}
