import type { ModelCard, ModelId } from "../../contract/index.ts";
import type { ByteSource, FileTree, FileTreeWriter } from "../../core/bytes.ts";
import type { Checkpoint } from "../checkpoint.ts";

/** What a card says about the weights: known once the headers are read. */
export interface ModelFacts {
  readonly architecture: string | null;
  readonly parameters: number;
  readonly layers: number | null;
  readonly vocabSize: number | null;
  readonly dtypes: readonly string[];
  readonly tensorCount: number;
  readonly hasTokenizer: boolean;
}

export interface ModelStart {
  /** Made unique: a taken name gets " 2". */
  readonly name: string;
  readonly origin: ModelCard["origin"];
  /** Bytes of all files together, or 0 while nobody knows. */
  readonly byteLength: number;
  /** Names the same files again, so that a half import is found. Null: nothing to find it by. */
  readonly fingerprint: string | null;
  /** For the card of an unfinished model; sealing reads them again. */
  readonly facts: ModelFacts | null;
}

/** Writes one checkpoint into the library. Sealing checks it, writes the manifest, and is the end. */
export interface ModelWriter extends FileTreeWriter {
  /** Keeps the stored bytes of a file that equal the source's, from the first on; drops the rest. */
  keepMatching(path: string, source: ByteSource, signal: AbortSignal): Promise<void>;
}

/** The checkpoints of this browser, complete or not. */
export interface Library {
  /** Newest first. */
  list(): Promise<readonly ModelCard[]>;
  card(id: ModelId): Promise<ModelCard>;
  /** The model of that name, if there is one. */
  findByName(name: string): Promise<ModelCard | undefined>;
  findByFingerprint(fingerprint: string): Promise<readonly ModelCard[]>;
  begin(start: ModelStart): Promise<{ readonly id: ModelId; readonly writer: ModelWriter }>;
  /** Goes on with a model that is not sealed. */
  resume(id: ModelId): Promise<ModelWriter>;
  /** The files as they are stored; those of an unfinished model are not offered. */
  tree(id: ModelId): Promise<FileTree>;
  /** Opened and checked; the same object for the same id until it changes. */
  open(id: ModelId): Promise<Checkpoint>;
  /** True where the stored file has exactly the source's bytes; reads the source, not the store. */
  holds(id: ModelId, path: string, source: ByteSource, signal: AbortSignal): Promise<boolean>;
  rename(id: ModelId, name: string): Promise<ModelCard>;
  /** Frees every byte of the model. */
  delete(id: ModelId): Promise<void>;
}
