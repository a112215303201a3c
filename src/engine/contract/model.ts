import type { ModelId } from "./ids.ts";
import type { TensorCard } from "./tensor.ts";

/** One checkpoint in the library, as a list shows it. */
export interface ModelCard {
  readonly id: ModelId;
  /** Unique in the library; recipes in the page name models by it. */
  readonly name: string;
  /** `partial`: an import that has not finished; it resumes when the same files are given again. */
  readonly state: "complete" | "partial";
  readonly origin: "import" | "sample" | "merge" | "train";
  readonly createdAt: number;
  /** First of `architectures` in config.json, or null where there is no config. */
  readonly architecture: string | null;
  readonly parameters: number;
  readonly layers: number | null;
  readonly vocabSize: number | null;
  readonly dtypes: readonly string[];
  readonly tensorCount: number;
  readonly byteLength: number;
  /** Bytes that are in storage already; equals `byteLength` when complete. */
  readonly storedBytes: number;
  readonly hasTokenizer: boolean;
}

/** One checkpoint, opened: what is in it, by name. */
export interface ModelDetail {
  readonly card: ModelCard;
  readonly tensors: readonly TensorCard[];
  readonly files: readonly { readonly path: string; readonly byteLength: number }[];
  /** What a reader should know: a tied head, a missing tokenizer, tensors that cannot be merged. */
  readonly notes: readonly string[];
}

/** Storage as the browser tells it. `quota` is an estimate that browsers round or invent. */
export interface StorageCard {
  readonly usedBytes: number;
  readonly quotaBytes: number | null;
  readonly persisted: boolean;
}
