import type { Failure } from "./error.ts";
import type { FusedDocument, FusedDocumentCard, FusedRow, FusionCard } from "./fusion.ts";
import type { DatasetId, FusionId, JobId, ModelId } from "./ids.ts";
import type { JobCard, JobRequest, SortedDrop } from "./job.ts";
import type {
  DatasetCard,
  GenerateEvent,
  GenerateRequest,
  Generation,
  LanguageCard,
  Reading,
} from "./language.ts";
import type { MethodCard } from "./method.ts";
import type { ModelCard, ModelDetail, StorageCard } from "./model.ts";
import type { PipelineMerge, PipelineRun } from "./pipeline.ts";
import type { MergePlan, ParsedRecipe } from "./plan.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingPlan, TrainingPoint, TrainingRequest, TrainingRun } from "./training.ts";
import type { TensorInspection, WeightMap } from "./weights.ts";

/** What the engine runs on, or why it cannot compute and what to do about it. */
export interface Environment {
  readonly gpu:
    | {
        readonly available: true;
        readonly name: string;
        /** A software adapter is slow, not broken. */
        readonly software: boolean;
        readonly budgetBytes: number;
      }
    | { readonly available: false; readonly failure: Failure };
}

/** What the engine tells unasked. */
export type EngineEvent =
  | { readonly type: "job"; readonly job: JobCard }
  /** A training has done a step. */
  | { readonly type: "training"; readonly job: JobId; readonly point: TrainingPoint }
  /** The library changed: ask `listModels`, `listDatasets` and `listFusions` again. */
  | { readonly type: "models" };

export interface CallOptions<E = never> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: E) => void;
}

/**
 * Everything the studio can do. One argument, one result, both plain data; big bytes stay on the
 * engine's side. Failures are `EngineError`s and keep their code and details across the Worker.
 */
export interface Engine {
  // Queries: answered soon, hold nothing.
  describe(): Promise<Environment>;
  /** Bytes the GPU buffer pool may use; takes effect with the next job. */
  setGpuBudget(bytes: number): Promise<Environment>;
  storage(): Promise<StorageCard>;
  /** Asks the browser to keep the data; the answer is the state as it is afterwards. */
  persist(): Promise<StorageCard>;

  listModels(): Promise<readonly ModelCard[]>;
  openModel(id: ModelId): Promise<ModelDetail>;
  /** The text of a small file of a checkpoint, such as config.json (at most 1 MiB). */
  readModelText(file: { readonly model: ModelId; readonly path: string }): Promise<string>;
  renameModel(change: { readonly model: ModelId; readonly name: string }): Promise<ModelCard>;
  deleteModel(id: ModelId): Promise<void>;

  /** Tells the files of checkpoints from those of datasets, by their paths alone. */
  sortDropped(paths: readonly string[]): Promise<SortedDrop>;

  listMethods(): Promise<readonly MethodCard[]>;
  /** Reads mergekit YAML. `bad-recipe` carries `line` and `column`. */
  parseRecipe(yaml: string): Promise<ParsedRecipe>;
  formatRecipe(recipe: Recipe): Promise<string>;
  /** The model at the smallest mean distance from the others, told from a sample of the weights. */
  guessBase(models: readonly ModelId[]): Promise<ModelId>;
  /** From headers alone: nothing is read but the first bytes of each file. */
  planMerge(request: {
    readonly recipe: Recipe;
    readonly shardBytes: number;
    /** `ParsedRecipe.lines`, where the recipe was read from a text. */
    readonly lines?: ParsedRecipe["lines"];
  }): Promise<MergePlan>;
  /** The shares as far as they are measured; a `measure` or `merge` job fills them in. */
  weightMap(recipe: Recipe): Promise<WeightMap>;
  inspectTensor(request: {
    readonly model: ModelId;
    readonly tensor: string;
    readonly against: ModelId | null;
  }): Promise<TensorInspection>;

  /** Whether a checkpoint can be run, from headers and small files. */
  describeLanguage(model: ModelId): Promise<LanguageCard>;
  /** Streams tokens through `onEvent`; the signal stops it (`cancelled`), what came stays. */
  generate(request: GenerateRequest, options?: CallOptions<GenerateEvent>): Promise<Generation>;
  /** Reads a text of at most the model's context; `topCount` as in `generate`. */
  readText(
    request: { readonly model: ModelId; readonly text: string; readonly topCount: number },
    options?: CallOptions<GenerateEvent>,
  ): Promise<Reading>;
  listDatasets(): Promise<readonly DatasetCard[]>;
  deleteDataset(id: DatasetId): Promise<void>;

  /** Newest first; unfinished ones as far as they are. */
  listFusions(): Promise<readonly FusionCard[]>;
  /** Frees a fused dataset, and what its models said unless another one uses that. */
  deleteFusion(id: FusionId): Promise<void>;
  /** Neighbouring documents of a fused dataset, for a long list. */
  fusedDocuments(request: {
    readonly fusion: FusionId;
    readonly from: number;
    readonly count: number;
  }): Promise<readonly FusedDocumentCard[]>;
  /** One document with all its alignments; `missing-file` beyond the last. */
  fusedDocument(request: {
    readonly fusion: FusionId;
    readonly document: number;
  }): Promise<FusedDocument>;
  /** Every distribution of one row; `usage` where the document has no such row. */
  fusedRow(request: {
    readonly fusion: FusionId;
    readonly document: number;
    readonly row: number;
  }): Promise<FusedRow>;

  /**
   * Steps and GPU memory of a training, and what to change where it does not fit. `usage` for settings
   * or a dataset that cannot be trained on, `mismatch` where it was made for another pivot.
   */
  planTraining(request: TrainingRequest): Promise<TrainingPlan>;
  /** The curve of a `distill` job so far; new points come as events. */
  trainingRun(job: JobId): Promise<TrainingRun>;

  /** The merges that FuseChat compares, for so many targets. */
  pipelineMerges(targets: number): Promise<readonly PipelineMerge[]>;
  /**
   * A `fusechat` job's stages so far, and its report at the end; asked again on its job events. `usage`
   * where there is no such job.
   */
  pipelineRun(job: JobId): Promise<PipelineRun>;
  /** The report as Markdown; `usage` where there is none yet. */
  pipelineReportText(job: JobId): Promise<string>;

  // Jobs: everything long. A promise dies with the tab; a job does not.
  /** Checked and journalled before it resolves. */
  startJob(request: JobRequest): Promise<JobCard>;
  listJobs(): Promise<readonly JobCard[]>;
  controlJob(order: {
    readonly job: JobId;
    readonly do: "cancel" | "resume" | "delete";
  }): Promise<void>;
  /** Never resolves by itself: events arrive through `onEvent` until the signal aborts. */
  watch(from: undefined, options: CallOptions<EngineEvent>): Promise<void>;
}
