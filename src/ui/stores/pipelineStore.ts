import { createStore } from "zustand/vanilla";
import type {
  Failure,
  JobId,
  PipelineMerge,
  PipelineRun,
  TrainingPlan,
  TrainingRun,
  TrainingSettings,
} from "../../engine/contract/index.ts";

/** Draft of a pipeline; pivot, sources, datasets and profile are in the fusion's draft. */
export interface PipelineDraft {
  /** Training settings that the user changed; the profile gives the others. */
  readonly changes: Partial<TrainingSettings>;
  readonly plain: boolean;
  /** Names of the chosen merges; null: all. */
  readonly merges: readonly string[] | null;
  readonly evaluationTokens: number;
  readonly name: string | null;
}

export interface PipelineState {
  readonly draft: PipelineDraft;
  /** Merges for so many targets. */
  readonly merges: readonly PipelineMerge[];
  readonly mergesFor: number | null;
  /** Job that is shown; null: the newest. */
  readonly job: JobId | null;
  /** Job that the following fields belong to. */
  readonly shown: JobId | null;
  readonly run: PipelineRun | null;
  /** Curves by training, as far as loaded. */
  readonly curves: Readonly<Record<JobId, TrainingRun>>;
  /** Time of the running training's first step, in ms, and the tokens of the later steps. */
  readonly pace: {
    readonly training: JobId;
    readonly since: number;
    readonly tokens: number;
  } | null;
  /** Plan of the drafted training, or why there is none. */
  readonly plan: TrainingPlan | null;
  readonly planFailure: Failure | null;
  readonly failure: Failure | null;
}

/** Store of the FuseChat tab. */
export function createPipelineStore() {
  const store = createStore<PipelineState>(() => ({
    draft: { changes: {}, plain: true, merges: null, evaluationTokens: 2048, name: null },
    merges: [],
    mergesFor: null,
    job: null,
    shown: null,
    run: null,
    curves: {},
    pace: null,
    plan: null,
    planFailure: null,
    failure: null,
  }));
  return {
    ...store,
    draft(change: Partial<PipelineDraft>) {
      store.setState(({ draft }) => ({ draft: { ...draft, ...change } }));
    },
  };
}
export type PipelineStore = ReturnType<typeof createPipelineStore>;
