import { createStore } from "zustand/vanilla";
import type { DatasetId, Engine, JobId, ModelId } from "../../engine/contract/index.ts";
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

/** What is picked in the library, and what waits for an answer there. */
export interface DeskState {
  readonly selected: readonly ModelId[];
  /** Compatible models that an import just brought: "Merge these?" */
  readonly offered: readonly ModelId[];
  /** The checkpoint whose drawer is open. */
  readonly opened: ModelId | null;
  /** A recipe that was dropped while another is composed: "Open this recipe?" */
  readonly offeredRecipe: { readonly name: string; readonly text: string } | null;
  /** The dataset whose drawer is open. */
  readonly openedDataset: DatasetId | null;
  /** A finished export that waits as private files: its job, whose files the page offers. */
  readonly downloads: JobId | null;
}

/** Everything a screen may touch: the engine, the stores, nothing global. */
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
    openedDataset: null,
    downloads: null,
  }));
}

/** Fresh stores around an engine. */
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
