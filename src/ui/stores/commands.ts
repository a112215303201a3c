import type { ModelId } from "../../engine/contract/index.ts";
import {
  control,
  exportModel,
  keepData,
  openPlayground,
  startMeasure,
  startMerge,
  trySamples,
} from "./actions.ts";
import type { Command } from "./command.ts";
import { addSampleTexts } from "./datasets.ts";
import { FUSION_COMMANDS } from "./fusionCommands.ts";
import { PIPELINE_COMMANDS } from "./pipelineCommands.ts";
import { playBlocked, runPrompt } from "./playgroundActions.ts";
import { isEmpty } from "./recipeLists.ts";
import { stackModels } from "./stackModels.ts";
import type { Studio } from "./studio.ts";

/** Reason why the composed recipe cannot be merged now, or null. */
export function mergeBlocked(studio: Studio): string | null {
  const { recipe, problem } = studio.recipe.getState();
  const { plan, planFailure, pending } = studio.forecast.getState();
  const { environment } = studio.environment.getState();
  if (isEmpty(recipe)) return "Add models first.";
  if (problem) return "The recipe's text has an error.";
  if (environment && !environment.gpu.available) return environment.gpu.failure.message;
  if (pending) return "The plan is being made.";
  if (planFailure) return planFailure.message;
  if (!plan) return "The plan is being made.";
  const error = plan.findings.find(({ severity }) => severity === "error");
  if (error) return error.message;
  const running = studio.jobs
    .getState()
    .jobs?.some(({ kind, state }) => kind === "merge" && state === "running");
  return running ? "A merge is running." : null;
}

const free = () => null;

/** Merge that the Merge screen follows, if it still exists. */
export function followedMerge(studio: Studio) {
  const jobs = studio.jobs.getState().jobs ?? [];
  const own = studio.jobs.find(studio.recipe.getState().job);
  return own ?? jobs.find(({ kind, state }) => kind === "merge" && state === "running");
}

const resultBlocked = (studio: Studio) =>
  followedMerge(studio)?.result?.models[0] ? null : "There is no merged model yet.";

/** The merged model and what it is held against: its base, else the first of its models. */
function resultAndRival(studio: Studio): readonly ModelId[] {
  const { result, recipe } = followedMerge(studio) ?? {};
  const rival = recipe?.base ?? recipe?.models[0]?.model;
  const other = studio.library.getState().models?.find(({ name }) => name === rival);
  return [...(result?.models.slice(0, 1) ?? []), ...(other ? [other.id] : [])];
}

/** The one table of commands; the palette lists it, the screens' buttons name its entries. */
export const COMMANDS = {
  ...FUSION_COMMANDS,
  ...PIPELINE_COMMANDS,
  evaluation: {
    id: "evaluation",
    label: "Evaluate",
    help: "Bits per byte of models on datasets",
    group: "Playground",
    blocked: free,
    run: (studio) => openPlayground(studio, "evaluate"),
  },
  addFolder: {
    id: "add-folder",
    label: "Add a folder…",
    help: "A Hugging Face checkpoint folder",
    group: "Library",
    blocked: free,
    run: () => document.getElementById("pick-folder")?.click(),
  },
  addFiles: {
    id: "add-files",
    label: "Add files…",
    help: "Safetensors with their config.json",
    group: "Library",
    blocked: free,
    run: () => document.getElementById("pick-files")?.click(),
  },
  trySamples: {
    id: "try-samples",
    label: "Try it with the sample models",
    help: "Load four small models and merge them with VaRM",
    group: "Library",
    blocked: (studio) =>
      studio.jobs
        .getState()
        .jobs?.some(({ kind, state }) => kind === "samples" && state === "running")
        ? "The samples are being loaded."
        : null,
    run: trySamples,
  },
  keepData: {
    id: "keep-data",
    label: "Keep my data",
    help: "Ask the browser not to evict the models",
    group: "Library",
    blocked: (studio) =>
      studio.library.getState().storage?.persisted ? "The data is kept already." : null,
    run: keepData,
  },
  stackModels: {
    id: "stack-models",
    label: "Stack layers of two models",
    help: "A frankenmerge: slices of one model behind those of another",
    group: "Merge",
    blocked: free,
    run: stackModels,
  },
  startMerge: {
    id: "start-merge",
    label: "Merge",
    help: "Run the recipe that is composed",
    group: "Merge",
    blocked: mergeBlocked,
    run: startMerge,
  },
  measure: {
    id: "measure",
    label: "Measure",
    help: "Fill the weight map without merging",
    group: "Merge",
    blocked: (studio) => {
      const { map } = studio.forecast.getState();
      if (studio.recipe.getState().recipe.stages) return "The merge makes what would be measured.";
      return map && map.measured >= map.total ? "All is measured." : mergeBlocked(studio);
    },
    run: startMeasure,
  },
  cancelMerge: {
    id: "cancel-merge",
    label: "Cancel",
    help: "Stop the merge that runs",
    group: "Merge",
    blocked: (studio) =>
      followedMerge(studio)?.state === "running" ? null : "No merge is running.",
    run: (studio) => {
      const job = followedMerge(studio);
      return job && control(studio, job.id, "cancel");
    },
  },
  exportResult: {
    id: "export-result",
    label: "Export…",
    help: "Write the merged model as a Hugging Face folder",
    group: "Merge",
    blocked: resultBlocked,
    run: (studio) => {
      const model = followedMerge(studio)?.result?.models[0];
      return model && exportModel(studio, model);
    },
  },
  compareResult: {
    id: "compare-result",
    label: "Compare",
    help: "Ask the merged model beside its base",
    group: "Merge",
    blocked: resultBlocked,
    run: (studio) => {
      studio.playground.setState({ chosen: resultAndRival(studio) });
      openPlayground(studio, "try");
    },
  },
  evaluateResult: {
    id: "evaluate-result",
    label: "Evaluate",
    help: "Bits per byte of the merged model and its base",
    group: "Merge",
    blocked: resultBlocked,
    run: (studio) => {
      const models = resultAndRival(studio);
      studio.playground.draft({ models, reference: models[1] ?? null });
      openPlayground(studio, "evaluate");
    },
  },
  runPrompt: {
    id: "run-prompt",
    label: "Run",
    help: "Give the prompt to the chosen models",
    group: "Playground",
    blocked: playBlocked,
    run: (studio) => runPrompt(studio, false),
  },
  readText: {
    id: "read-text",
    label: "Read this text",
    help: "Colour the prompt by what surprises each model",
    group: "Playground",
    blocked: playBlocked,
    run: (studio) => runPrompt(studio, true),
  },
  stopPrompt: {
    id: "stop-prompt",
    label: "Stop",
    help: "Keep what the models have written so far",
    group: "Playground",
    blocked: ({ playground }) => (playground.getState().running ? null : "No model is answering."),
    run: ({ playground }) => playground.stop(),
  },
  sampleTexts: {
    id: "sample-texts",
    label: "Add the sample texts",
    help: "Tales, scenes and word problems for evaluation",
    group: "Library",
    blocked: (studio) => {
      const running = studio.jobs
        .getState()
        .jobs?.some(({ kind, state }) => kind === "dataset" && state === "running");
      return running ? "A dataset is being read." : null;
    },
    run: addSampleTexts,
  },
} as const satisfies Record<string, Command>;
