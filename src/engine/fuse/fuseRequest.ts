import { EngineError, type FusionSettings } from "../contract/index.ts";
import type { RequestOf } from "../jobs/kind.ts";
import { MOST_ENTRIES } from "./topRows.ts";

/** A document with room for its ends, and for the pieces of one character. */
const LEAST_TOKENS = 16;
const MOST_TOKENS = 2 ** 17;
const MOST_ROWS = 10_000_000;
const MOST_SOURCES = 16;

/** Refuses what cannot be run; names each source and dataset once. */
export function checkFuseRequest(request: RequestOf<"fuse">): RequestOf<"fuse"> {
  const sources = [...new Set(request.sources)];
  const datasets = [...new Set(request.datasets)];
  if (datasets.length === 0) throw new EngineError("usage", "A fusion needs at least one dataset.");
  if (sources.length > MOST_SOURCES) {
    const message = `${sources.length} sources are too many: at most ${MOST_SOURCES} are fused at once.`;
    throw new EngineError("usage", message, { sources: sources.length });
  }
  checkSettings(request.settings);
  return { ...request, sources, datasets };
}

function checkSettings(settings: FusionSettings): void {
  const { topK, maxTokens, rows, temperature } = settings;
  whole("topK", topK, 1, MOST_ENTRIES);
  whole("maxTokens", maxTokens, LEAST_TOKENS, MOST_TOKENS);
  whole("rows", rows, 1, MOST_ROWS);
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    const message = `A temperature of ${temperature} is none; it must be a number above 0.`;
    throw new EngineError("usage", message, { temperature });
  }
}

function whole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const message = `${name} is ${value}; it must be a whole number from ${min} to ${max}.`;
  throw new EngineError("usage", message, { [name]: value });
}
