import type { FusionCard } from "./fusion.ts";
import type { FusionSettings } from "./fusionSettings.ts";
import type { DatasetId, FusionId, JobId, ModelId } from "./ids.ts";
import type { EvaluationCell } from "./language.ts";
import type { Settings } from "./recipe.ts";
import type { TrainingPoint } from "./training.ts";
import type { TrainingSettings } from "./trainingSettings.ts";
import type { WeightMap } from "./weights.ts";

/** One way in which the targets are brought together. */
export interface PipelineMerge {
  /** Unique among the merges: the result is called after it. */
  readonly name: string;
  readonly method: string;
  /** Of the recipe as a whole. */
  readonly parameters: Settings;
  /** Of every target alike, such as its weight. */
  readonly perModel: Settings;
}

/** FuseChat from end to end: represent, align, fuse, distill, merge, evaluate. */
export interface PipelineRequest {
  readonly name: string;
  readonly pivot: ModelId;
  /** One target each. */
  readonly sources: readonly ModelId[];
  readonly datasets: readonly DatasetId[];
  readonly fusion: FusionSettings;
  readonly training: TrainingSettings;
  /** Whether the pivot is also trained on the same tokens without any source, to compare with. */
  readonly plain: boolean;
  readonly merges: readonly PipelineMerge[];
  /** Tokens of the pivot that every model is scored on, from rows that no training read. */
  readonly evaluationTokens: number;
}

/** The steps as the studio shows them. */
export const PIPELINE_STEPS = ["fuse", "distill", "merge", "evaluate"] as const;
export type PipelineStep = (typeof PIPELINE_STEPS)[number];

/** One piece of a pipeline. `reused`: an earlier pipeline had the same inputs. */
export interface PipelineStage {
  readonly key: string;
  readonly step: PipelineStep;
  readonly title: string;
  readonly state: "waiting" | "running" | "done" | "reused";
  /** What it made. */
  readonly model: ModelId | null;
  readonly fusion: FusionId | null;
  /** The job whose training curve can be asked for. */
  readonly training: JobId | null;
}

/** A pipeline as far as it is. */
export interface PipelineRun {
  readonly stages: readonly PipelineStage[];
  /** Null until it is at its end. */
  readonly report: PipelineReport | null;
}

/** One model in the report. */
export interface ReportedModel {
  readonly name: string;
  readonly role: "pivot" | "source" | "plain" | "target" | "merge";
  /** Of a target: the source that taught it. Of a merge: its recipe as YAML. */
  readonly about: string | null;
  /** Over all rows; the difference is to the pivot. */
  readonly cell: EvaluationCell;
  /** Bits per byte less the plain fine-tune's on the same rows, with its interval. */
  readonly toPlain: EvaluationCell["difference"];
}

/** What came of a pipeline. Plain data: it is exported as it is. */
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
  /** Rows that were scored, and what they are of. */
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
