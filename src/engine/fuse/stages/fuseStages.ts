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
  /** Columns of its head, from its config; null where not stated. */
  readonly vocabSize: number | null;
  /** Tokenises documents for this model. */
  readonly reader: DocumentTokenizer;
}

/** Parts that the stages of a fusion share. */
export interface StageParts {
  readonly records: RecordStore;
  readonly modelCache: ModelCache;
  readonly gpuProvider: GpuProvider;
  readonly pool: Pool<AlignTasks>;
  readonly maps?: MapCache;
  /** Locks over all tabs that share the records; absent where there is only this user of them. */
  readonly locks?: Locks;
  /** Models, the pivot first. */
  readonly models: readonly FusionModel[];
  readonly settings: FusionSettings;
  readonly signal: AbortSignal;
  /** Reports the bytes of documents that this stage has done. */
  progress(doneBytes: number, label: string): void;
}

/** A document as a record between stages. */
export const encodeDocument = (document: FusionDocument) => encodePlain(document);
export const decodeDocument = (bytes: Uint8Array) => decodePlain<FusionDocument>(bytes);

/** UTF-8 bytes of a document's text. */
export const bytesOf = ({ pieces }: FusionDocument) => utf8Length(textOf(pieces));

/** Place of a document, for messages. */
export const placeOf = ({ dataset, at }: Pick<FusionDocument, "dataset" | "at">) =>
  `${dataset}, row ${at}`;
