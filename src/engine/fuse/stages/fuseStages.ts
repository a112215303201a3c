import type { FusionSettings, ModelId } from "../../contract/index.ts";
import type { Locks } from "../../core/jobs/locks.ts";
import type { Pool } from "../../core/threadPool.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import type { ModelCache } from "../../runtime/language/modelCache.ts";
import type { ChatTemplate } from "../../text/templates/template.ts";
import type { TextTokenizer } from "../../text/tokenizers/tokenizer.ts";
import type { MapCache } from "../align/maps/mapCache.ts";
import type { AlignTasks } from "../align/tasks.ts";
import { decodePlain, encodePlain, type RecordStore } from "../dataset/recordStore.ts";
import type { FusionDocument } from "../dataset/records.ts";
import { type DocumentTokenizer, textOf, utf8Length } from "../documents/tokenise.ts";

/** A model that takes part in a fusion. */
export interface FusionModel {
  readonly id: ModelId;
  readonly name: string;
  readonly tokenizer: TextTokenizer;
  readonly template: ChatTemplate | null;
  readonly contextLength: number;
  /** Of its head, as its config says it; null where it does not. */
  readonly vocabSize: number | null;
  /** Reads documents as this model does. */
  readonly reader: DocumentTokenizer;
}

/** What the stages of a fusion work with. */
export interface StageParts {
  readonly records: RecordStore;
  readonly modelCache: ModelCache;
  readonly gpuProvider: GpuProvider;
  readonly pool: Pool<AlignTasks>;
  readonly maps?: MapCache;
  /** Over all tabs that share the records; without them nobody does. */
  readonly locks?: Locks;
  /** The pivot first. */
  readonly models: readonly FusionModel[];
  readonly settings: FusionSettings;
  readonly signal: AbortSignal;
  /** So many bytes of documents are done in this stage. */
  progress(doneBytes: number, label: string): void;
}

/** A document as a record between stages. */
export const encodeDocument = (document: FusionDocument) => encodePlain(document);
export const decodeDocument = (bytes: Uint8Array) => decodePlain<FusionDocument>(bytes);

/** UTF-8 bytes of a document's text. */
export const bytesOf = ({ pieces }: FusionDocument) => utf8Length(textOf(pieces));

/** Where a document stands, for messages. */
export const placeOf = ({ dataset, at }: Pick<FusionDocument, "dataset" | "at">) =>
  `${dataset}, row ${at}`;
