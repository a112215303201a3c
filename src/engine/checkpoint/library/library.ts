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

/** Checkpoints as they are found by whoever runs, merges or trains them. */
export interface LibraryReader {
  /** Newest first. */
  list(): Promise<readonly ModelCard[]>;
  card(id: ModelId): Promise<ModelCard>;
  /** The model of that name, if there is one. */
  findByName(name: string): Promise<ModelCard | undefined>;
  /** The files as they are stored; those of an unfinished model are not offered. */
  tree(id: ModelId): Promise<FileTree>;
  /** Opened and checked; the same object for the same id until it changes. */
  open(id: ModelId): Promise<Checkpoint>;
}

/** Where checkpoints are made. Sealing one checks it, writes its manifest, and is the end. */
export interface LibraryWriter {
  begin(start: ModelStart): Promise<{ readonly id: ModelId; readonly writer: FileTreeWriter }>;
  /** Goes on with a model that is not sealed. */
  resume(id: ModelId): Promise<FileTreeWriter>;
  /** Frees every byte of the model. */
  delete(id: ModelId): Promise<void>;
}

/** Finds again, wholly or half stored, what is imported once more. */
export interface LibraryImporter {
  findByFingerprint(fingerprint: string): Promise<readonly ModelCard[]>;
  /** True where the stored file has exactly the source's bytes; reads the source, not the store. */
  holds(id: ModelId, path: string, source: ByteSource, signal: AbortSignal): Promise<boolean>;
  /** Keeps the stored bytes of a file that equal the source's, from the first on; drops the rest. */
  keepMatching(id: ModelId, path: string, source: ByteSource, signal: AbortSignal): Promise<void>;
}

/** The checkpoints of this browser, complete or not. */
export interface Library extends LibraryReader, LibraryWriter, LibraryImporter {
  rename(id: ModelId, name: string): Promise<ModelCard>;
}
