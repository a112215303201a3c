import { type EngineEvent, toFailure } from "../../engine/contract/index.ts";
import { refreshLibrary } from "../stores/actions.ts";
import { takePoint } from "../stores/pipelineActions.ts";
import type { Studio } from "../stores/studio.ts";

/** Restores the last recipe and its merge from the journal after a reload. */
function takeUpRecipe({ jobs, recipe }: Studio): void {
  if (recipe.getState().revision > 0) return;
  const last = jobs.getState().jobs?.find((job) => job.recipe !== null);
  if (!last?.recipe) return;
  recipe.compose(last.recipe);
  recipe.follow(last.kind === "merge" ? last.id : null);
}

/**
 * Fills the reflections from the engine, and keeps them up to date. Returns a function that stops.
 */
export function followEngine(studio: Studio): () => void {
  const { engine, environment, jobs, library, notices } = studio;
  const stop = new AbortController();
  const fail = (error: unknown) => {
    if (!stop.signal.aborted) environment.setState({ dead: toFailure(error) });
  };
  const refresh = () => refreshLibrary(studio).catch(() => undefined); // the next event asks again
  const onEvent = (event: EngineEvent) => {
    if (event.type === "models") void refresh();
    else if (event.type === "training") takePoint(studio, event.job, event.point);
    else jobs.write(event.job);
  };
  engine.watch(undefined, { signal: stop.signal, onEvent }).catch(fail);
  Promise.all([engine.describe(), engine.listMethods()]).then(
    ([described, methods]) => environment.setState({ environment: described, methods }),
    fail,
  );
  engine.listJobs().then((cards) => {
    jobs.fill(cards);
    takeUpRecipe(studio);
  }, fail);
  engine.listModels().then(
    (models) => library.setState({ models }),
    (error) => {
      library.setState({ models: [] });
      notices.fail("The library cannot be read", toFailure(error));
    },
  );
  engine.listDatasets().then(
    (datasets) => library.setState({ datasets }),
    () => library.setState({ datasets: [] }), // the next change of the library asks again
  );
  engine.listFusions().then(
    (fusions) => library.setState({ fusions }),
    () => library.setState({ fusions: [] }),
  );
  engine.storage().then(
    (storage) => library.setState({ storage }),
    () => undefined, // without an estimate the page simply shows none
  );
  return () => stop.abort();
}
