import type { Failure } from "./error.ts";
import type { FusionSettings } from "./fusionSettings.ts";
import type { DatasetId, FusionId, JobId, ModelId } from "./ids.ts";
import type { EvaluationCell } from "./language.ts";
import type { PipelineRequest } from "./pipeline.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingRequest } from "./training.ts";

/** A file as a person dropped it: its path starts with the folder's own name, if it had one. */
export interface DroppedFile {
  readonly path: string;
  readonly file: File;
}

/** Paths of dropped files, sorted by what they are; what belongs to neither is in neither. */
export interface SortedDrop {
  readonly checkpoints: readonly string[];
  readonly data: readonly string[];
}

export type JobRequest =
  /** Every folder with weights among the files becomes a checkpoint. */
  | { readonly kind: "import"; readonly files: readonly DroppedFile[] }
  /** The sample models that come with the studio. */
  | { readonly kind: "samples" }
  /** Reads what the recipe's method must know about whole tensors; the weight map fills as it goes. */
  | { readonly kind: "measure"; readonly recipe: Recipe }
  | {
      readonly kind: "merge";
      readonly recipe: Recipe;
      /** The result's name in the library. */
      readonly name: string;
      /** Largest shard, in bytes. */
      readonly shardBytes: number;
    }
  /** JSONL, JSON, CSV, TSV, Parquet or plain text becomes a dataset each. */
  | { readonly kind: "dataset"; readonly files: readonly DroppedFile[] }
  /** Every model on every dataset, on at most so many rows of each. */
  | {
      readonly kind: "evaluate";
      readonly models: readonly ModelId[];
      readonly datasets: readonly DatasetId[];
      readonly rows: number;
      /** System texts go before the first user turn, for templates without a system role. */
      readonly systemIntoUser?: boolean;
    }
  /** Represents, aligns and fuses: a fused dataset in the library. */
  | {
      readonly kind: "fuse";
      readonly pivot: ModelId;
      readonly sources: readonly ModelId[];
      readonly datasets: readonly DatasetId[];
      readonly settings: FusionSettings;
      readonly name: string;
      /** Models that must be able to read the same documents, so that other fusions can have them. */
      readonly alongside?: readonly ModelId[];
    }
  /** A Parquet file with FuseLLM's or FuseChat's fields becomes a fused dataset of that pivot. */
  | {
      readonly kind: "import-fusion";
      readonly files: readonly DroppedFile[];
      readonly pivot: ModelId;
      readonly name: string;
    }
  /** As Parquet with the field names of FuseLLM or FuseChat, or in the studio's own format. */
  | {
      readonly kind: "export-fusion";
      readonly fusion: FusionId;
      readonly format: "studio" | "fusellm" | "fusechat-v1" | "fusechat-v2";
      readonly folder: FileSystemDirectoryHandle | null;
    }
  /** Trains the pivot on a fused dataset: a target, with its adapter, in the library. */
  | ({ readonly kind: "distill"; readonly name: string } & TrainingRequest)
  /** All of FuseChat; what it makes on the way is in the library, and a report at the end. */
  | ({ readonly kind: "fusechat" } & PipelineRequest)
  /** Into a folder the person picked; null writes to private files that the page then offers. */
  | {
      readonly kind: "export";
      readonly model: ModelId;
      readonly folder: FileSystemDirectoryHandle | null;
    };

export interface JobProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Where the work has no bytes to count, so many parts of it: a share, and nothing else. */
  readonly unit?: "parts";
  /** What is being worked on: a tensor or a file. */
  readonly label: string;
  /** Null until it can be told. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

export interface JobResult {
  /** Checkpoints that the job made. */
  readonly models: readonly ModelId[];
  /** Names in the origin-private folder `exports/<job>` to offer as downloads. */
  readonly downloads: readonly string[];
  /** Sentences worth reading: files that were left out, duplicates, what was resumed. */
  readonly notes: readonly string[];
  /** Of a `fuse` or `import-fusion` job. */
  readonly fusion?: FusionId;
  /** Of an `evaluate` job. */
  readonly evaluation?: readonly EvaluationCell[];
}

/** One piece of long work, as the journal keeps it and the Runs screen shows it. */
export interface JobCard {
  readonly id: JobId;
  readonly kind: JobRequest["kind"];
  /** A short phrase: "Merge ember-varm". */
  readonly title: string;
  /**
   * `interrupted`: its tab closed or its device was lost for good; `resume` goes on where it stopped.
   */
  readonly state: "running" | "interrupted" | "done" | "failed" | "cancelled";
  /** False where going on needs the person first, e.g. to drop the same files again. */
  readonly resumable: boolean;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly progress: JobProgress;
  readonly recipe: Recipe | null;
  readonly failure: Failure | null;
  readonly result: JobResult | null;
}
