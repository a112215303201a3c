import { EngineError, type FusionSettings } from "../contract/index.ts";
import type { RequestOf } from "../core/jobs/kind.ts";
import { MOST_ENTRIES } from "./represent/topRows.ts";

/** Where the whole numbers among the settings make sense, ends included. */
export const FUSION_RANGES = {
  topK: { min: 1, max: MOST_ENTRIES, whole: true },
  // A document with room for its ends, and for the pieces of one character.
  maxTokens: { min: 16, max: 2 ** 17, whole: true },
  rows: { min: 1, max: 10_000_000, whole: true },
} as const satisfies { readonly [K in keyof FusionSettings]?: object };
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
  for (const name of ["topK", "maxTokens", "rows"] as const) {
    const [value, { min, max }] = [settings[name], FUSION_RANGES[name]];
    if (Number.isInteger(value) && value >= min && value <= max) continue;
    const message = `${name} is ${value}; it must be a whole number from ${min} to ${max}.`;
    throw new EngineError("usage", message, { [name]: value });
  }
  const { temperature } = settings;
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    const message = `A temperature of ${temperature} is none; it must be a number above 0.`;
    throw new EngineError("usage", message, { temperature });
  }
}
