import type { FusionCard } from "./fusion.ts";
import type { FusionSettings } from "./fusionSettings.ts";
import type { DatasetId, FusionId, JobId, ModelId } from "./ids.ts";
import type { EvaluationCell } from "./language.ts";
import type { Settings } from "./recipe.ts";
import type { TrainingPoint } from "./training.ts";
import type { TrainingSettings } from "./trainingSettings.ts";
import type { WeightMap } from "./weights.ts";

/** A merge of the targets. */
export interface PipelineMerge {
  /** Name, unique among the merges; the result is named after it. */
  readonly name: string;
  readonly method: string;
  /** Parameters of the whole recipe. */
  readonly parameters: Settings;
  /** Parameters of every target, such as its weight. */
  readonly perModel: Settings;
}

/** A FuseChat pipeline: represent, align, fuse, distill, merge, evaluate. */
export interface PipelineRequest {
  readonly name: string;
  readonly pivot: ModelId;
  /** Sources; each gets a target. */
  readonly sources: readonly ModelId[];
  readonly datasets: readonly DatasetId[];
  readonly fusion: FusionSettings;
  readonly training: TrainingSettings;
  /** Whether the pivot is also trained on the same tokens without sources, for comparison. */
  readonly plain: boolean;
  readonly merges: readonly PipelineMerge[];
  /** Pivot tokens that every model is scored on, from rows that no training read. */
  readonly evaluationTokens: number;
}

/** Steps of a pipeline, as the studio shows them. */
export const PIPELINE_STEPS = ["fuse", "distill", "merge", "evaluate"] as const;
export type PipelineStep = (typeof PIPELINE_STEPS)[number];

/** A stage of a pipeline. `reused`: an earlier pipeline had the same inputs. */
export interface PipelineStage {
  readonly key: string;
  readonly step: PipelineStep;
  readonly title: string;
  readonly state: "waiting" | "running" | "done" | "reused";
  /** Model that it made. */
  readonly model: ModelId | null;
  readonly fusion: FusionId | null;
  /** Job of the training curve. */
  readonly training: JobId | null;
}

/** State of a pipeline. */
export interface PipelineRun {
  readonly stages: readonly PipelineStage[];
  /** Null until the pipeline is done. */
  readonly report: PipelineReport | null;
}

/** A model in the report. */
export interface ReportedModel {
  readonly name: string;
  readonly role: "pivot" | "source" | "plain" | "target" | "merge";
  /** For a target its source; for a merge its recipe as YAML. */
  readonly about: string | null;
  /** Figures over all rows; the difference is to the pivot. */
  readonly cell: EvaluationCell;
  /** Bits per byte minus the plain fine-tune's on the same rows. */
  readonly toPlain: EvaluationCell["difference"];
}

/** Report of a pipeline: plain data, exported as it is. */
export interface PipelineReport {
  readonly format: 1;
  readonly tool: string;
  readonly name: string;
  readonly createdAt: number;
  readonly settings: {
    readonly fusion: FusionSettings;
    readonly training: TrainingSettings;
    readonly datasets: readonly string[];
    readonly evaluationTokens: number;
  };
  readonly models: readonly ReportedModel[];
  /** Rows that were scored, with their bytes. */
  readonly evaluated: { readonly rows: number; readonly bytes: number };
  readonly fusions: readonly Pick<
    FusionCard,
    "name" | "members" | "rows" | "domains" | "dropped"
  >[];
  readonly curves: readonly {
    readonly model: string;
    readonly heldOutBefore: number | null;
    readonly points: readonly TrainingPoint[];
  }[];
  readonly maps: readonly { readonly merge: string; readonly map: WeightMap }[];
  readonly notes: readonly string[];
}
