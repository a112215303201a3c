import type { MergeMethod } from "../../method.ts";
import { countMerged, drawKeyOf, drawsParam, isRecorded, seedParam } from "./draws.ts";
import { defineTaskVectors } from "./family.ts";
import { densitiesOf, densityParam, likeMergekit } from "./params.ts";
import { keepDrawn } from "./reference.ts";

/** Defines one of DARE's two variants: with TIES' sign election, or as a plain sum. */
export function defineDare(
  about: Pick<MergeMethod, "id" | "title" | "summary"> & { readonly elect: boolean },
): MergeMethod {
  return defineTaskVectors({
    ...about,
    paper: { label: "DARE", url: "https://arxiv.org/abs/2311.03099" },
    normalize: false,
    rescale: true,
    params: {
      density: densityParam("The probability with which a change of this model is kept."),
      seed: seedParam,
      draws: drawsParam,
    },
    rescaleHelp: "Makes up for what was dropped, so that the mean change stays.",
    profile: "mergekit rescales by the sum of sizes; the paper by 1 / density.",
    draws: true,
    countModels: countMerged,
    ratio(resolved, m) {
      if (likeMergekit(resolved)) return null;
      const density = densitiesOf(resolved)[m]!;
      return density > 0 && density < 1 ? 1 / density : 1;
    },
    differ(resolved) {
      const thins = densitiesOf(resolved).some((density) => density > 0 && density < 1);
      return thins && resolved.global.rescale
        ? "mergekit makes up for what is dropped by the sum of sizes, and the paper by 1 / density"
        : null;
    },
    thins: (resolved) => (isRecorded(resolved) ? "recorded" : "random"),
    thinning(tensor, m) {
      const density = densitiesOf(tensor.resolved)[m]!;
      if (density >= 1) return { kind: "none" };
      if (isRecorded(tensor.resolved)) return { kind: "recorded", density };
      return { kind: "random", density, key: drawKeyOf(tensor, m) };
    },
    keep(tensor, m, sizes) {
      const { resolved, models } = tensor;
      const density = densitiesOf(resolved)[m]!;
      if (density >= 1) return Array.from(sizes, () => 1);
      const recorded = models[m + countMerged(resolved)];
      if (isRecorded(resolved)) return Array.from(recorded!, (draw) => Number(draw < density));
      return keepDrawn(sizes.length, density, drawKeyOf(tensor, m));
    },
  });
}
