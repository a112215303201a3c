import type { AdapterCard, ModelCard, ModelId } from "../../contract/index.ts";
import type { ByteSource, FileTree, FileTreeWriter } from "../../core/bytes.ts";
import type { Checkpoint } from "../checkpoint.ts";

/** Facts about the weights for a card, known once the headers are read. */
export interface ModelFacts {
  readonly architecture: string | null;
  readonly parameters: number;
  readonly layers: number | null;
  readonly vocabSize: number | null;
  readonly dtypes: readonly string[];
  readonly tensorCount: number;
  readonly hasTokenizer: boolean;
  readonly adapter?: AdapterCard;
}

export interface ModelStart {
  /** Made unique: a taken name gets " 2". */
  readonly name: string;
  readonly origin: ModelCard["origin"];
  /** Bytes of all files, or 0 while unknown. */
  readonly byteLength: number;
  /** Fingerprint by which a repeated import finds its unfinished model; null: none. */
  readonly fingerprint: string | null;
  /** Facts for the card of an unfinished model; sealing reads them again. */
  readonly facts: ModelFacts | null;
}

/** Read access to the checkpoints. */
export interface LibraryReader {
  /** Cards, newest first. */
  list(): Promise<readonly ModelCard[]>;
  card(id: ModelId): Promise<ModelCard>;
  /** Card of the model with that name, if any. */
  findByName(name: string): Promise<ModelCard | undefined>;
  /** Stored files of a complete model. */
  tree(id: ModelId): Promise<FileTree>;
  /** The checkpoint, opened and checked; the same object for the same id until it changes. */
  open(id: ModelId): Promise<Checkpoint>;
}

/** Write access to the checkpoints. Sealing a new one checks it and writes its manifest. */
export interface LibraryWriter {
  begin(start: ModelStart): Promise<{ readonly id: ModelId; readonly writer: FileTreeWriter }>;
  /** Continues an unfinished model. */
  resume(id: ModelId): Promise<FileTreeWriter>;
  /** Deletes a model and its bytes. */
  delete(id: ModelId): Promise<void>;
}

/** Access for imports that may find their model stored already, wholly or in part. */
export interface LibraryImporter {
  findByFingerprint(fingerprint: string): Promise<readonly ModelCard[]>;
  /** Whether a stored file has exactly the source's bytes; reads the source, not the store. */
  holds(id: ModelId, path: string, source: ByteSource, signal: AbortSignal): Promise<boolean>;
  /** Keeps the leading stored bytes of a file that equal the source's, and drops the rest. */
  keepMatching(id: ModelId, path: string, source: ByteSource, signal: AbortSignal): Promise<void>;
}

/** Library of the checkpoints in this browser, complete or not. */
export interface Library extends LibraryReader, LibraryWriter, LibraryImporter {
  rename(id: ModelId, name: string): Promise<ModelCard>;
}
