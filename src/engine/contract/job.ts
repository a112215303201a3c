import type { AdapterMergeRequest } from "./adapters.ts";
import type { Failure } from "./error.ts";
import type { ExtractionRequest } from "./extraction.ts";
import type { FusionSettings } from "./fusionSettings.ts";
import type { DatasetId, FusionId, JobId, ModelId } from "./ids.ts";
import type { EvaluationCell } from "./language.ts";
import type { MixtureRequest } from "./mixture.ts";
import type { PipelineRequest } from "./pipeline.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingRequest } from "./training.ts";
import type { TransplantRequest } from "./transplant.ts";

/** A dropped file with its path, which starts with the dropped folder's name, if there is one. */
export interface DroppedFile {
  readonly path: string;
  readonly file: File;
}

/** Dropped paths by kind; paths of neither kind are in neither list. */
export interface SortedDrop {
  readonly checkpoints: readonly string[];
  readonly data: readonly string[];
}

export type JobRequest =
  /** Imports every folder with weights as a checkpoint. */
  | { readonly kind: "import"; readonly files: readonly DroppedFile[] }
  /** Imports the sample models that come with the studio. */
  | { readonly kind: "samples" }
  /** Computes the sums that the recipe's method needs; the weight map fills in meanwhile. */
  | { readonly kind: "measure"; readonly recipe: Recipe }
  | {
      readonly kind: "merge";
      readonly recipe: Recipe;
      /** Name of the result in the library. */
      readonly name: string;
      /** Largest shard, in bytes. */
      readonly shardBytes: number;
      /** Keeps the results of the recipe's stages in the library; otherwise they go at the end. */
      readonly keepStages?: true;
    }
  /** Merges adapters of one base into one adapter. */
  | ({ readonly kind: "merge-adapters"; readonly name: string } & AdapterMergeRequest)
  /** Makes dense models the experts of one, by a config of mergekit-moe. */
  | ({ readonly kind: "mixture"; readonly name: string } & MixtureRequest)
  /** Imports files of JSONL, JSON, CSV, TSV, Parquet or plain text as a dataset each. */
  | { readonly kind: "dataset"; readonly files: readonly DroppedFile[] }
  /** Evaluates every model on every dataset, on at most so many rows of each. */
  | {
      readonly kind: "evaluate";
      readonly models: readonly ModelId[];
      readonly datasets: readonly DatasetId[];
      readonly rows: number;
      /** Puts system texts into the first user turn, for templates without a system role. */
      readonly systemIntoUser?: boolean;
    }
  /** Represents, aligns and fuses: makes a fused dataset. */
  | {
      readonly kind: "fuse";
      readonly pivot: ModelId;
      readonly sources: readonly ModelId[];
      readonly datasets: readonly DatasetId[];
      readonly settings: FusionSettings;
      readonly name: string;
      /** Further models whose limits the documents obey, so that other fusions can share them. */
      readonly alongside?: readonly ModelId[];
    }
  /** Imports a Parquet file with FuseLLM's or FuseChat's fields as a fused dataset of a pivot. */
  | {
      readonly kind: "import-fusion";
      readonly files: readonly DroppedFile[];
      readonly pivot: ModelId;
      readonly name: string;
    }
  /**
   * Exports a fused dataset in Parquet with FuseLLM's or FuseChat's fields, or in the studio's
   * format.
   */
  | {
      readonly kind: "export-fusion";
      readonly fusion: FusionId;
      readonly format: "studio" | "fusellm" | "fusechat-v1" | "fusechat-v2";
      readonly folder: FileSystemDirectoryHandle | null;
    }
  /** Trains the pivot on a fused dataset: makes a target with its adapter. */
  | ({ readonly kind: "distill"; readonly name: string } & TrainingRequest)
  /** Runs FuseChat from end to end; all intermediate results stay in the library. */
  | ({ readonly kind: "fusechat" } & PipelineRequest)
  /** Gives a model the tokenizer of a donor: makes a model. */
  | ({ readonly kind: "transplant"; readonly name: string } & TransplantRequest)
  /** Extracts a LoRA from a model and its base: makes an adapter. */
  | ({ readonly kind: "extract"; readonly name: string } & ExtractionRequest)
  /** Exports a model into a picked folder, or for null into private files that the page offers. */
  | {
      readonly kind: "export";
      readonly model: ModelId;
      readonly folder: FileSystemDirectoryHandle | null;
    };

export interface JobProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Unit of the progress where no bytes are counted: parts of the work. */
  readonly unit?: "parts";
  /** Tensor or file being processed. */
  readonly label: string;
  /** Speed; null while unknown. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

export interface JobResult {
  /** Checkpoints that the job wrote. */
  readonly models: readonly ModelId[];
  /** Files in the origin-private folder `exports/<job>`, to be offered as downloads. */
  readonly downloads: readonly string[];
  /** Notes for the user: files left out, duplicates, what was resumed. */
  readonly notes: readonly string[];
  /** Result of a `fuse` or `import-fusion` job. */
  readonly fusion?: FusionId;
  /** Result of an `evaluate` job. */
  readonly evaluation?: readonly EvaluationCell[];
}

/** A job, as the journal stores it and the Runs screen shows it. */
export interface JobCard {
  readonly id: JobId;
  readonly kind: JobRequest["kind"];
  /** Short phrase: "Merge ember-varm". */
  readonly title: string;
  /** `interrupted`: its tab closed or its device was lost; `resume` continues where it stopped. */
  readonly state: "running" | "interrupted" | "done" | "failed" | "cancelled";
  /** False where resuming needs the user first, e.g. to drop the same files again. */
  readonly resumable: boolean;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly progress: JobProgress;
  readonly recipe: Recipe | null;
  readonly failure: Failure | null;
  readonly result: JobResult | null;
}
