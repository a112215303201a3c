import type { Failure } from "./error.ts";
import type { Extraction } from "./extraction.ts";
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
import type { MixturePlan, MixtureRequest } from "./mixture.ts";
import type { ModelCard, ModelDetail, StorageCard } from "./model.ts";
import type { PipelineMerge, PipelineRun } from "./pipeline.ts";
import type { MergePlan, ParsedRecipe } from "./plan.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingPlan, TrainingPoint, TrainingRequest, TrainingRun } from "./training.ts";
import type { ParameterCurve, TensorInspection, WeightMap } from "./weights.ts";

/** Environment of the engine: its adapter, or why it cannot compute and what to do about it. */
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

/** Events that the engine sends to watchers. */
export type EngineEvent =
  | { readonly type: "job"; readonly job: JobCard }
  /** A training finished a step. */
  | { readonly type: "training"; readonly job: JobId; readonly point: TrainingPoint }
  /** The library changed: ask `listModels`, `listDatasets` and `listFusions` again. */
  | { readonly type: "models" };

export interface CallOptions<E = never> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: E) => void;
}

/**
 * All functions of the studio: one argument, one result, both plain data. Weights stay on the
 * engine's side. Failures are `EngineError`s, which keep their code and details across the Worker.
 */
export interface Engine {
  // Queries: short, and without state.
  describe(): Promise<Environment>;
  /** Bytes the GPU buffer pool may use; takes effect with the next job. */
  setGpuBudget(bytes: number): Promise<Environment>;
  storage(): Promise<StorageCard>;
  /** Asks the browser for persistent storage; returns the state afterwards. */
  persist(): Promise<StorageCard>;

  listModels(): Promise<readonly ModelCard[]>;
  openModel(id: ModelId): Promise<ModelDetail>;
  /** Text of a small file of a checkpoint, such as config.json (at most 1 MiB). */
  readModelText(file: { readonly model: ModelId; readonly path: string }): Promise<string>;
  renameModel(change: { readonly model: ModelId; readonly name: string }): Promise<ModelCard>;
  deleteModel(id: ModelId): Promise<void>;

  /** Sorts dropped paths into files of checkpoints and of datasets, by the paths alone. */
  sortDropped(paths: readonly string[]): Promise<SortedDrop>;

  listMethods(): Promise<readonly MethodCard[]>;
  /** Parses mergekit YAML. `bad-recipe` has `line` and `column`. */
  parseRecipe(yaml: string): Promise<ParsedRecipe>;
  formatRecipe(recipe: Recipe): Promise<string>;
  /**
   * A recipe's text, changed so that it says `recipe`; comments and layout of what did not change stay.
   * Where the text is no recipe, as `formatRecipe`.
   */
  editRecipe(edit: { readonly text: string; readonly recipe: Recipe }): Promise<string>;
  /** Model with the smallest mean distance to the others, by a sample of the weights. */
  guessBase(models: readonly ModelId[]): Promise<ModelId>;
  /** Plan of a merge from headers alone. */
  planMerge(request: {
    readonly recipe: Recipe;
    readonly shardBytes: number;
    /** `ParsedRecipe.lines`, where the recipe was read from a text. */
    readonly lines?: ParsedRecipe["lines"];
  }): Promise<MergePlan>;
  /**
   * Plan of a mixture of experts from headers alone; null for a text that is no config of
   * mergekit-moe. `bad-recipe`, `missing-file`, `unsupported-architecture` and others where it
   * cannot be made.
   */
  planMixture(request: MixtureRequest): Promise<MixturePlan | null>;
  /** Weight map with the shares measured so far; a `measure` or `merge` job fills it in. */
  weightMap(recipe: Recipe): Promise<WeightMap>;
  /** Each parameter's resolved values over the layers of the result. */
  parameterCurves(recipe: Recipe): Promise<readonly ParameterCurve[]>;
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

  /** Cards, newest first; unfinished datasets with the documents written so far. */
  listFusions(): Promise<readonly FusionCard[]>;
  /** Deletes a fused dataset, and the representations that no other one uses. */
  deleteFusion(id: FusionId): Promise<void>;
  /** Neighbouring documents of a fused dataset, for a list. */
  fusedDocuments(request: {
    readonly fusion: FusionId;
    readonly from: number;
    readonly count: number;
  }): Promise<readonly FusedDocumentCard[]>;
  /** One document with its alignments; `missing-file` beyond the last. */
  fusedDocument(request: {
    readonly fusion: FusionId;
    readonly document: number;
  }): Promise<FusedDocument>;
  /** All distributions of one row; `usage` where the document has no such row. */
  fusedRow(request: {
    readonly fusion: FusionId;
    readonly document: number;
    readonly row: number;
  }): Promise<FusedRow>;

  /**
   * Steps and GPU memory of a training, and a suggestion where it does not fit. `usage` for
   * settings or a dataset that cannot be trained with, `mismatch` where the dataset has another
   * pivot.
   */
  planTraining(request: TrainingRequest): Promise<TrainingPlan>;
  /** Training curve of a `distill` job so far; new points come as events. */
  trainingRun(job: JobId): Promise<TrainingRun>;

  /** Record of an extracted adapter, with its spectra; `missing-file` where it has none. */
  extraction(model: ModelId): Promise<Extraction>;

  /** FuseChat's merges for a number of targets. */
  pipelineMerges(targets: number): Promise<readonly PipelineMerge[]>;
  /**
   * Stages of a `fusechat` job so far, with its report at the end; changes are announced by job
   * events. `usage` where there is no such job.
   */
  pipelineRun(job: JobId): Promise<PipelineRun>;
  /** The report as Markdown; `usage` where there is none yet. */
  pipelineReportText(job: JobId): Promise<string>;

  // Jobs: long work, which survives the tab that started it.
  /** Checked and journalled before it resolves. */
  startJob(request: JobRequest): Promise<JobCard>;
  listJobs(): Promise<readonly JobCard[]>;
  controlJob(order: {
    readonly job: JobId;
    readonly do: "cancel" | "resume" | "delete";
  }): Promise<void>;
  /** Sends events through `onEvent` until the signal aborts; never resolves before. */
  watch(from: undefined, options: CallOptions<EngineEvent>): Promise<void>;
}
