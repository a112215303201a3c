import { EngineError } from "../contract/index.ts";
import type { ByteSource, FileTreeWriter } from "./bytes.ts";

/** Files that a job reads, each with its name in messages. */
export type InputFiles = Iterable<readonly [name: string, source: ByteSource]>;

/** Files that are watched for changes. */
export interface WatchedInputs {
  /** Text for the state of all files when the watch began. */
  readonly mark: string;
  /** Throws `changed` where a file has changed since. */
  requireUnchanged(): Promise<void>;
}

/** Records the state of a job's inputs, to detect changes at its end. */
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

/** The same writer, which refuses to seal results of changed inputs. */
export function sealUnchanged(writer: FileTreeWriter, inputs: WatchedInputs): FileTreeWriter {
  return {
    open: (path, byteLength) => writer.open(path, byteLength),
    async seal() {
      await inputs.requireUnchanged();
      await writer.seal();
    },
  };
}

/** Error for a file that changed since it was opened. */
export function changedError(name: string): EngineError {
  return new EngineError(
    "changed",
    `${name} was changed while it was being used: the result would be of two states of it, and is not finished. Leave the file alone and start anew.`,
    { file: name },
  );
}
