import { createStore } from "zustand/vanilla";
import type {
  DatasetId,
  Engine,
  JobId,
  MixturePlan,
  ModelId,
} from "../../engine/contract/index.ts";
import { createFusionStore, type FusionStore } from "./fusionStore.ts";
import { createNoticesStore, type NoticesStore } from "./noticesStore.ts";
import { createPipelineStore, type PipelineStore } from "./pipelineStore.ts";
import { createPlaygroundStore, type PlaygroundStore } from "./playgroundStore.ts";
import { createRecipeStore, type RecipeStore } from "./recipeStore.ts";
import {
  createEnvironmentStore,
  createForecastStore,
  createJobsStore,
  createLibraryStore,
  type EnvironmentStore,
  type ForecastStore,
  type JobsStore,
  type LibraryStore,
} from "./reflections.ts";
import { createRouteStore, type RouteStore } from "./routeStore.ts";

/** A dropped config of mergekit-moe, and what it will make. */
export interface OfferedMixture {
  readonly name: string;
  readonly text: string;
  readonly plan: MixturePlan;
}

/** State of the library screen: selection and pending offers. */
export interface DeskState {
  readonly selected: readonly ModelId[];
  /** Compatible models of a finished import: "Merge these?" */
  readonly offered: readonly ModelId[];
  /** Checkpoint whose drawer is open. */
  readonly opened: ModelId | null;
  /** Recipe that was dropped while another is composed: "Open this recipe?" */
  readonly offeredRecipe: { readonly name: string; readonly text: string } | null;
  /** Config of mergekit-moe that was dropped: "Make this mixture of experts?" */
  readonly offeredMixture: OfferedMixture | null;
  /** Dataset whose drawer is open. */
  readonly openedDataset: DatasetId | null;
  /** Job of a finished export whose private files the page offers as downloads. */
  readonly downloads: JobId | null;
}

/** Everything that a screen may use: the engine and the stores. */
export interface Studio {
  readonly engine: Engine;
  readonly recipe: RecipeStore;
  readonly forecast: ForecastStore;
  readonly library: LibraryStore;
  readonly jobs: JobsStore;
  readonly environment: EnvironmentStore;
  readonly playground: PlaygroundStore;
  readonly fusion: FusionStore;
  readonly pipeline: PipelineStore;
  readonly route: RouteStore;
  readonly notices: NoticesStore;
  readonly desk: ReturnType<typeof createDeskStore>;
}

function createDeskStore() {
  return createStore<DeskState>(() => ({
    selected: [],
    offered: [],
    opened: null,
    offeredRecipe: null,
    offeredMixture: null,
    openedDataset: null,
    downloads: null,
  }));
}

/** New stores around an engine. */
export function createStudio(engine: Engine, hash: string): Studio {
  return {
    engine,
    recipe: createRecipeStore(),
    forecast: createForecastStore(),
    library: createLibraryStore(),
    jobs: createJobsStore(),
    environment: createEnvironmentStore(),
    playground: createPlaygroundStore(),
    fusion: createFusionStore(),
    pipeline: createPipelineStore(),
    route: createRouteStore(hash),
    notices: createNoticesStore(),
    desk: createDeskStore(),
  };
}
