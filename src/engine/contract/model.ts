import type { ModelId } from "./ids.ts";
import type { TensorCard } from "./tensor.ts";

/** What an adapter is, for its card. */
export interface AdapterCard {
  /** Name of the model that it was trained on, as its config states it. */
  readonly base: string | null;
  /** "LoRA of rank 8 on 14 modules". */
  readonly about: string;
}

/** A checkpoint of the library, for a list. */
export interface ModelCard {
  readonly id: ModelId;
  /** Name, unique in the library; recipes name models by it. */
  readonly name: string;
  /** `partial`: an unfinished import, which resumes when the same files are dropped again. */
  readonly state: "complete" | "partial";
  readonly origin: "import" | "sample" | "merge" | "train" | "transplant" | "extract";
  readonly createdAt: number;
  /** First entry of `architectures` in config.json; null without a config. */
  readonly architecture: string | null;
  readonly parameters: number;
  readonly layers: number | null;
  readonly vocabSize: number | null;
  readonly dtypes: readonly string[];
  readonly tensorCount: number;
  readonly byteLength: number;
  /** Bytes stored so far; equals `byteLength` when complete. */
  readonly storedBytes: number;
  readonly hasTokenizer: boolean;
  /** Of an adapter, which is no model by itself. */
  readonly adapter?: AdapterCard;
  /** Of a model that stands for another one with an adapter applied; only the two are stored. */
  readonly pair?: { readonly base: ModelId; readonly adapter: ModelId };
}

/** A checkpoint's contents. */
export interface ModelDetail {
  readonly card: ModelCard;
  readonly tensors: readonly TensorCard[];
  readonly files: readonly { readonly path: string; readonly byteLength: number }[];
  /** Notes for the user: a tied head, a missing tokenizer, tensors that cannot be merged. */
  readonly notes: readonly string[];
}

/** State of the browser's storage. `quota` is an estimate, which browsers may invent. */
export interface StorageCard {
  readonly usedBytes: number;
  readonly quotaBytes: number | null;
  readonly persisted: boolean;
}
