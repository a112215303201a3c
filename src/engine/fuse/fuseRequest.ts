import { EngineError, FUSION_SETTINGS } from "../contract/index.ts";
import { checkSettings } from "../core/checkSettings.ts";
import type { RequestOf } from "../core/jobs/kind.ts";

const MOST_SOURCES = 16;

/** Checks a request, and removes repeated sources and datasets. */
export function checkFuseRequest(request: RequestOf<"fuse">): RequestOf<"fuse"> {
  const sources = [...new Set(request.sources)];
  const datasets = [...new Set(request.datasets)];
  if (datasets.length === 0) throw new EngineError("usage", "A fusion needs at least one dataset.");
  if (sources.length > MOST_SOURCES) {
    const message = `${sources.length} sources are too many: at most ${MOST_SOURCES} are fused at once.`;
    throw new EngineError("usage", message, { sources: sources.length });
  }
  const { profile } = request.settings;
  const of = "The fusion";
  const settings = checkSettings(FUSION_SETTINGS, request.settings, { profile, of });
  return { ...request, sources, datasets, settings };
}
