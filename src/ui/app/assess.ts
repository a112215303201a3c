import { modelKeys, type Recipe, toFailure, type WeightMap } from "../../engine/contract/index.ts";
import { startMeasure } from "../stores/actions.ts";
import { hasLevels, isEmpty } from "../stores/recipeLists.ts";
import type { TextProblem } from "../stores/recipeStore.ts";
import type { Studio } from "../stores/studio.ts";

/** Milliseconds without typing before the engine is asked. */
const TYPING_MS = 250;
/** Milliseconds between updates of a map that is being measured. */
const MEASURING_MS = 400;
/** Largest merge, in bytes read, that is measured automatically. */
const UNASKED_BYTES = 2 ** 30;

function problemOf(error: unknown): TextProblem {
  const { message, details } = toFailure(error);
  const number = (value: unknown) => (typeof value === "number" ? value : null);
  const said = message.replace(/^Line \d+, column \d+: /, ""); // the editor shows the place itself
  return { message: said, line: number(details.line), column: number(details.column) };
}

/** Map with the same tensors and no numbers, shown until the new models are measured. */
function blankMap(map: WeightMap, models: readonly string[]): WeightMap {
  const cells = map.cells.map((cell) => ({
    ...cell,
    shares: null,
    spread: null,
    change: null,
    locked: false,
  }));
  return { models, cells, measured: 0, total: map.total, headline: "", summary: [] };
}

/** Updates the form from the text or the text from the form after an edit of either. */
async function syncText({ engine, recipe }: Studio): Promise<void> {
  const { revision, writer, recipe: composed, text } = recipe.getState();
  if (writer === "form") {
    if (isEmpty(composed) && composed.base === undefined) return;
    const written = await engine.editRecipe({ text, recipe: composed }).catch(() => undefined);
    if (written === undefined) return;
    // Keys that have no effect stay in the text, and what is said of them.
    const parsed = await engine.parseRecipe(written).catch(() => null);
    recipe.writeText(revision, written, parsed);
    return;
  }
  try {
    recipe.accept(revision, await engine.parseRecipe(text));
  } catch (error) {
    recipe.refuse(revision, problemOf(error));
  }
}

/**
 * Keeps plan and map up to date with the composed recipe, and measures small merges automatically.
 */
export function assessRecipe(studio: Studio): () => void {
  const { engine, recipe, forecast, jobs, environment, library } = studio;
  let asked = 0;
  /** Revision of the recipe that form and text agree on. */
  let synced = 0;
  let measured: Recipe | null = null;

  async function refreshMap(turn: number): Promise<void> {
    const composed = recipe.getState().recipe;
    const map = await engine.weightMap(composed).catch((error: unknown) => {
      if (turn === asked) forecast.setState({ map: null, mapFailure: toFailure(error) });
    });
    if (map && turn === asked) forecast.setState({ map, mapFailure: null });
  }

  async function assess(): Promise<void> {
    const turn = ++asked;
    const { recipe: composed, shardBytes, lines } = recipe.getState();
    const revision = synced;
    if (isEmpty(composed)) {
      const nothing = { plan: null, planFailure: null, map: null, mapFailure: null, curves: [] };
      forecast.setState({ ...nothing, pending: false });
      return;
    }
    const planned = await engine.planMerge({ recipe: composed, shardBytes, lines }).then(
      (plan) => ({ plan, planFailure: null }),
      (error: unknown) => ({ plan: null, planFailure: toFailure(error) }),
    );
    if (turn !== asked) return;
    // An edit during planning makes this plan out of date already.
    forecast.setState({ ...planned, pending: recipe.getState().revision !== revision });
    const traced =
      planned.plan && hasLevels(composed)
        ? engine.parameterCurves(composed).catch(() => []) // the plan says what is wrong
        : [];
    await refreshMap(turn);
    const curves = await traced;
    if (turn === asked) forecast.setState({ curves });
    if (turn === asked) measureUnasked(composed);
  }

  async function catchUp(): Promise<void> {
    const { revision } = recipe.getState();
    if (revision !== synced) {
      await syncText(studio);
      synced = revision;
    }
    await assess();
  }

  function measureUnasked(composed: Recipe): void {
    const { plan, map } = forecast.getState();
    const { gpu } = environment.getState().environment ?? {};
    if (!plan?.runnable || !map || !gpu?.available) return;
    if (composed.stages) return; // what it merges is yet to be made
    // A merge measures what its method needs; each model's change from the base needs a
    // measurement.
    const moved = composed.base === undefined || map.summary.every(({ change }) => change !== null);
    if (map.measured >= map.total && moved) return;
    if (plan.readBytes > UNASKED_BYTES || measured === composed) return;
    const busy = jobs.getState().jobs?.filter(({ kind, state }) => {
      return state === "running" && (kind === "merge" || kind === "measure");
    });
    if (busy?.some(({ kind }) => kind === "merge")) return; // the merge fills the map in
    measured = composed;
    const stopped = (busy ?? []).map(({ id }) => engine.controlJob({ job: id, do: "cancel" }));
    void Promise.allSettled(stopped).then(() => {
      if (recipe.getState().recipe === composed) void startMeasure(studio);
    });
  }

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void catchUp(), TYPING_MS);
  };
  const stopRecipe = recipe.subscribe((state, before) => {
    const { map } = forecast.getState();
    const keys = modelKeys(state.recipe);
    if (map && keys.join("\n") !== map.models.join("\n")) {
      forecast.setState({ map: blankMap(map, keys) });
    }
    if (state.revision !== before.revision) {
      forecast.setState({ pending: true });
      if (state.writer === "form") void syncText(studio);
      later();
    } else if (state.shardBytes !== before.shardBytes) later();
  });
  let mapTimer = 0;
  const stopJobs = jobs.subscribe(({ jobs: now }, { jobs: before }) => {
    const active = now?.find(
      (job) => (job.kind === "measure" || job.kind === "merge") && !before?.includes(job),
    );
    if (!active) return;
    const ended = active.state !== "running";
    if (ended) {
      clearTimeout(mapTimer);
      mapTimer = 0;
      void catchUp();
    } else if (mapTimer === 0) {
      mapTimer = window.setTimeout(() => {
        mapTimer = 0;
        void refreshMap(asked);
      }, MEASURING_MS);
    }
  });
  const stopLibrary = library.subscribe(({ models }, { models: before }) => {
    if (models !== before) later();
  });
  return () => {
    clearTimeout(timer);
    clearTimeout(mapTimer);
    stopRecipe();
    stopJobs();
    stopLibrary();
  };
}
