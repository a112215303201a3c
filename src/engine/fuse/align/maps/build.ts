import type { FusionSettings } from "../../../contract/index.ts";
import { invariant } from "../../../core/invariant.ts";
import type { Pool } from "../../../core/threadPool.ts";
import type { TextTokenizer } from "../../../text/tokenizers/tokenizer.ts";
import type { Vocabulary, VocabularyMap } from "../types.ts";
import type { AlignmentCounts } from "./alignmentCounts.ts";
import { bytesTarget } from "./bytes.ts";
import { type Contexts, coOccurrenceTargets } from "./coOccurrence.ts";
import { exactTargets, NO_TARGET, type Targets } from "./exact.ts";
import { type MapCache, mapKey } from "./mapCache.ts";
import { type MapTasks, minedTargets, type Watched } from "./mined.ts";
import { countsTargets, statisticsTargets } from "./statistics.ts";

/** Inputs of a vocabulary map. Counts are needed by the maps that `countsFor` lists. */
export interface MapInputs {
  readonly settings: Pick<FusionSettings, "vocabulary" | "profile">;
  readonly pivot: Vocabulary;
  readonly source: Vocabulary;
  readonly pivotTokenizer: Pick<TextTokenizer, "encode">;
  readonly sourceTokenizer: Pick<TextTokenizer, "isSpecial">;
  readonly pool: Pool<MapTasks>;
  readonly cache?: MapCache;
  readonly counts?: AlignmentCounts;
  readonly contexts?: Contexts;
}

/**
 * Counts over all documents that a map needs: aligned tokens (`AlignmentCounts`, also for rows
 * weighted by the matrix), or neighbouring tokens.
 */
export function countsFor({
  vocabulary,
  matrix,
}: Pick<FusionSettings, "vocabulary" | "matrix">): "alignments" | "contexts" | null {
  if (vocabulary === "co-occurrence") return "contexts";
  return vocabulary === "statistics" || vocabulary === "counts" || matrix ? "alignments" : null;
}

/** Vocabulary map of the settings. Equal strings always map to each other. */
export async function buildVocabularyMap(
  inputs: MapInputs,
  watched: Watched = {},
): Promise<VocabularyMap> {
  const { settings, pivot, source, counts } = inputs;
  const count = (pivotId: number, sourceId: number) => counts?.count(pivotId, sourceId) ?? 0;
  if (settings.vocabulary === "bytes") return { target: bytesTarget(inputs), count };
  const targets = exactTargets(pivot, source);
  const others = await otherTargets(inputs, watched);
  if (others) {
    for (const [id, target] of targets.entries()) {
      if (target === NO_TARGET) targets[id] = others[id] as number;
    }
  }
  const target = (sourceId: number) => {
    const found = targets[sourceId] ?? NO_TARGET;
    return found === NO_TARGET ? null : found;
  };
  return { target, count };
}

/** Targets of the tokens without an equal string. */
async function otherTargets(inputs: MapInputs, watched: Watched): Promise<Targets | null> {
  const { settings, pivot, source, counts, contexts } = inputs;
  switch (settings.vocabulary) {
    case "exact":
    case "bytes":
      return null;
    case "mined":
      return cachedMined(inputs, watched);
    case "co-occurrence":
      invariant(contexts, "neighbours are counted before their map is made");
      return coOccurrenceTargets(pivot, source, await cachedMined(inputs, watched), contexts);
    case "statistics":
    case "counts": {
      invariant(counts, "alignments are counted before their map is made");
      const version = settings.profile === "fusechat-v1" ? 1 : 2;
      const given = { pivot, source, counts, version } as const;
      return settings.vocabulary === "counts" ? countsTargets(given) : statisticsTargets(given);
    }
  }
}

async function cachedMined(inputs: MapInputs, watched: Watched): Promise<Targets> {
  const { pivot, source, pool, cache } = inputs;
  const key = cache ? await mapKey("mined", pivot, source) : "";
  const kept = await cache?.load(key);
  // A cached map is checked, since other programs can write to the cache.
  const fits = (target: number) => target >= NO_TARGET && target < pivot.size;
  if (kept?.length === source.size && kept.every(fits)) {
    watched.progress?.(source.size, source.size);
    return kept;
  }
  const targets = await minedTargets(pivot, source, pool, watched);
  await cache?.save(key, targets);
  return targets;
}
