import { EngineError } from "../contract/index.ts";
import type { ByteSource, FileTreeWriter } from "./bytes.ts";

/** Files that a job reads, each with what messages call it. */
export type InputFiles = Iterable<readonly [name: string, source: ByteSource]>;

/** Files that are watched for changes. */
export interface WatchedInputs {
  /** One text for the state of all files when the watch began. */
  readonly mark: string;
  /** `changed` where a file is no longer what it was then. */
  requireUnchanged(): Promise<void>;
}

/** Notes the state of what a job is about to read, so that it can tell in the end whether it held. */
export async function watchInputs(files: InputFiles): Promise<WatchedInputs> {
  const watched = [...files];
  const before = await Promise.all(watched.map(([, source]) => source.mark?.()));
  return {
    mark: JSON.stringify(watched.map(([name], i) => [name, before[i] ?? null])),
    async requireUnchanged() {
      for (const [i, [name, source]] of watched.entries()) {
        if ((await source.mark?.()) !== before[i]) throw changedError(name);
      }
    },
  };
}

/** The same writer, which seals only what was made of unchanged inputs. */
export function sealUnchanged(writer: FileTreeWriter, inputs: WatchedInputs): FileTreeWriter {
  return {
    open: (path, byteLength) => writer.open(path, byteLength),
    async seal() {
      await inputs.requireUnchanged();
      await writer.seal();
    },
  };
}

/** A file is not what it was when it was opened. */
export function changedError(name: string): EngineError {
  return new EngineError(
    "changed",
    `${name} was changed while it was being used: the result would be of two states of it, and is not finished. Leave the file alone and start anew.`,
    { file: name },
  );
}
