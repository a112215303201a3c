import {
  type DatasetCard,
  type DatasetId,
  EngineError,
  type JobCard,
  type ModelCard,
  type ModelId,
} from "../../engine/contract/index.ts";
import { attempt, begin, refreshLibrary } from "./actions.ts";
import { whyMute } from "./playgroundActions.ts";
import type { PlaygroundState } from "./playgroundStore.ts";
import type { Studio } from "./studio.ts";

export const SAMPLE_TEXTS = ["tales", "drama", "maths"] as const;

/** Imports the sample texts from the page's address. */
export function addSampleTexts(studio: Studio) {
  return attempt(studio, "Sample texts", async () => {
    const files = await Promise.all(
      SAMPLE_TEXTS.map(async (name) => {
        const path = `${name}.jsonl`;
        const answer = await fetch(new URL(`samples/texts/${path}`, document.baseURI));
        if (!answer.ok) {
          const message = `The sample text ${path} could not be fetched: the server answered ${answer.status}.`;
          throw new EngineError("missing-file", message, { path, status: answer.status });
        }
        return { path, file: new File([await answer.blob()], path) };
      }),
    );
    return begin(studio, { kind: "dataset", files });
  });
}

/** Deletes a dataset; evaluations that used it keep their numbers. */
export function removeDataset(studio: Studio, { id, name }: DatasetCard) {
  return attempt(studio, `Delete ${name}`, async () => {
    await studio.engine.deleteDataset(id);
    await refreshLibrary(studio);
  });
}

/**
 * Models and datasets of the next evaluation, the reference first. By default every stored model
 * that can be run, every dataset, and the oldest model as reference.
 */
export function evaluationParts(
  { draft, cards }: Pick<PlaygroundState, "draft" | "cards">,
  models: readonly ModelCard[],
  datasets: readonly DatasetCard[],
): { readonly models: readonly ModelId[]; readonly datasets: readonly DatasetId[] } {
  const wanted = models
    .filter(({ id, pair }) => {
      return whyMute(cards[id]) === null && (draft.models?.includes(id) ?? pair === undefined);
    })
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .map(({ id }) => id);
  const first = wanted.filter((id) => id === draft.reference);
  const there = datasets.map(({ id }) => id);
  return {
    models: [...first, ...wanted.filter((id) => id !== draft.reference)],
    datasets: there.filter((id) => draft.datasets?.includes(id) ?? true),
  };
}

const isRunning = ({ kind, state }: JobCard) => kind === "evaluate" && state === "running";

/** Reason why no evaluation can be started now, or null. */
export function evaluateBlocked(studio: Studio): string | null {
  const { environment } = studio.environment.getState();
  const { models, datasets } = studio.library.getState();
  if (environment && !environment.gpu.available) return environment.gpu.failure.message;
  if (studio.jobs.getState().jobs?.some(isRunning)) return "An evaluation is running.";
  const parts = evaluationParts(studio.playground.getState(), models ?? [], datasets ?? []);
  if (parts.models.length === 0) return "Choose a model first.";
  return parts.datasets.length === 0 ? "Choose a dataset first." : null;
}

/** Starts the evaluation, and shows its table when it is done. */
export function startEvaluation(studio: Studio) {
  return attempt(studio, "Evaluate", async () => {
    const { models, datasets } = studio.library.getState();
    const state = studio.playground.getState();
    const parts = evaluationParts(state, models ?? [], datasets ?? []);
    const { rows, systemIntoUser } = state.draft;
    const job = await begin(studio, { kind: "evaluate", ...parts, rows, systemIntoUser });
    studio.playground.draft({ shown: job.id });
  });
}

/** Evaluation that is shown: the chosen one, else the newest that runs or has a table. */
export function shownEvaluation(
  jobs: readonly JobCard[],
  shown: string | null,
): JobCard | undefined {
  const own = jobs.find(({ id }) => id === shown);
  return own ?? jobs.find((job) => isRunning(job) || job.result?.evaluation !== undefined);
}
