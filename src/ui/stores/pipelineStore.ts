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

/** FuseChat as it is being put together; pivot, sources, data and rules are the fusion's draft. */
export interface PipelineDraft {
  /** Settings of the training that a person set; the profile gives the others. */
  readonly changes: Partial<TrainingSettings>;
  readonly plain: boolean;
  /** Names of the merges that are wanted; null: all. */
  readonly merges: readonly string[] | null;
  readonly evaluationTokens: number;
  readonly name: string | null;
}

export interface PipelineState {
  readonly draft: PipelineDraft;
  /** The merges there are, for so many targets. */
  readonly merges: readonly PipelineMerge[];
  readonly mergesFor: number | null;
  /** The job that is shown; null: the newest. */
  readonly job: JobId | null;
  /** What is known of `shown`. */
  readonly shown: JobId | null;
  readonly run: PipelineRun | null;
  /** Curves by training, as far as they were asked for. */
  readonly curves: Readonly<Record<JobId, TrainingRun>>;
  /** When the training that runs now told its first step, in ms, and the tokens of those after it. */
  readonly pace: {
    readonly training: JobId;
    readonly since: number;
    readonly tokens: number;
  } | null;
  /** What the training that is put together would take, and why it cannot be told. */
  readonly plan: TrainingPlan | null;
  readonly planFailure: Failure | null;
  readonly failure: Failure | null;
}

/** What the FuseChat tab shows and holds. */
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
