import { EngineError, type PipelineRequest } from "../contract/index.ts";
import { checkTrainingSettings } from "../train/settings.ts";

const MOST_SOURCES = 16;
const MOST_MERGES = 64;

/** Throws `usage` for a pipeline that cannot be run, with the change that it needs. */
export function checkPipeline(request: PipelineRequest): void {
  const { pivot, sources, datasets, merges, evaluationTokens, training } = request;
  const refuse = (message: string, details: Record<string, string | number> = {}): never => {
    throw new EngineError("usage", message, details);
  };
  if (sources.length === 0) refuse("FuseChat needs at least one source to learn from.");
  if (sources.length > MOST_SOURCES) {
    refuse(`${sources.length} sources are more than ${MOST_SOURCES}.`, { sources: sources.length });
  }
  if (new Set([pivot, ...sources]).size <= sources.length) {
    refuse("The pivot and the sources must all be different models.");
  }
  if (datasets.length === 0) refuse("FuseChat needs at least one dataset.");
  const names = merges.map(({ name }) => name);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) refuse(`Two merges are called "${repeated}".`, { merge: repeated });
  if (merges.length > MOST_MERGES) {
    refuse(`${merges.length} merges are more than ${MOST_MERGES}.`, { merges: merges.length });
  }
  const lonely = merges.find(({ method }) => method === "slerp" && sources.length !== 2);
  if (lonely) {
    refuse(`"${lonely.name}": SLERP takes two targets; there are ${sources.length}.`, {
      merge: lonely.name,
    });
  }
  if (!(Number.isInteger(evaluationTokens) && evaluationTokens >= 1)) {
    refuse(`${evaluationTokens} evaluation tokens: it must be a whole number from 1.`);
  }
  checkTrainingSettings(training);
}
