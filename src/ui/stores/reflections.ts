import { createStore } from "zustand/vanilla";
import type {
  DatasetCard,
  Environment,
  Failure,
  FusionCard,
  JobCard,
  JobId,
  MergePlan,
  MethodCard,
  ModelCard,
  ParameterCurve,
  StorageCard,
  WeightMap,
} from "../../engine/contract/index.ts";

/** State of the environment: adapter and methods. `dead` is set when the engine is gone. */
export interface EnvironmentState {
  readonly environment: Environment | null;
  readonly methods: readonly MethodCard[];
  readonly dead: Failure | null;
}

/** Mirrors `describe` and `listMethods`. */
export function createEnvironmentStore() {
  return createStore<EnvironmentState>(() => ({
    environment: null,
    methods: [],
    dead: null,
  }));
}
export type EnvironmentStore = ReturnType<typeof createEnvironmentStore>;

/** State of the library: models, datasets, fused datasets and storage; null until loaded. */
export interface LibraryState {
  readonly models: readonly ModelCard[] | null;
  /** Texts and chats; null until loaded. */
  readonly datasets: readonly DatasetCard[] | null;
  /** Fused datasets; null until loaded. */
  readonly fusions: readonly FusionCard[] | null;
  readonly storage: StorageCard | null;
}

/** Mirrors `listModels`, `listDatasets`, `listFusions` and `storage`. */
export function createLibraryStore() {
  return createStore<LibraryState>(() => ({
    models: null,
    datasets: null,
    fusions: null,
    storage: null,
  }));
}
export type LibraryStore = ReturnType<typeof createLibraryStore>;

export interface JobsState {
  /** Jobs, newest first; null until loaded. */
  readonly jobs: readonly JobCard[] | null;
}

const newestFirst = (a: JobCard, b: JobCard) => b.createdAt - a.createdAt;

/** Mirrors the journal: `listJobs` once, then every job event. */
export function createJobsStore() {
  const store = createStore<JobsState>(() => ({ jobs: null }));
  const write = (job: JobCard) =>
    store.setState(({ jobs }) => ({
      jobs: [job, ...(jobs ?? []).filter(({ id }) => id !== job.id)].sort(newestFirst),
    }));
  return {
    ...store,
    find: (id: JobId | null) => store.getState().jobs?.find((job) => job.id === id),
    /** Adds the whole journal; cards that events brought meanwhile are newer and stay. */
    fill(jobs: readonly JobCard[]) {
      const seen = store.getState().jobs ?? [];
      const known = new Set(seen.map(({ id }) => id));
      const merged = [...seen, ...jobs.filter(({ id }) => !known.has(id))].sort(newestFirst);
      store.setState({ jobs: merged });
    },
    /** Applies a job event. */
    write,
    /** Adds the answer to `startJob`, unless events brought a newer card. */
    begin(job: JobCard) {
      if (!store.getState().jobs?.some(({ id }) => id === job.id)) write(job);
    },
    remove(id: JobId) {
      store.setState(({ jobs }) => ({ jobs: (jobs ?? []).filter((job) => job.id !== id) }));
    },
  };
}
export type JobsStore = ReturnType<typeof createJobsStore>;

/** Plan and map of the composed recipe. Old answers stay visible while new ones are loading. */
export interface ForecastState {
  readonly plan: MergePlan | null;
  readonly planFailure: Failure | null;
  readonly map: WeightMap | null;
  readonly mapFailure: Failure | null;
  /** Parameters over the layers; empty where none depends on layer or tensor. */
  readonly curves: readonly ParameterCurve[];
  /** Whether the recipe has changed since, so that these are out of date. */
  readonly pending: boolean;
}

/** Mirrors `planMerge` and `weightMap` of the recipe being composed. */
export function createForecastStore() {
  return createStore<ForecastState>(() => ({
    plan: null,
    planFailure: null,
    map: null,
    mapFailure: null,
    curves: [],
    pending: false,
  }));
}
export type ForecastStore = ReturnType<typeof createForecastStore>;
