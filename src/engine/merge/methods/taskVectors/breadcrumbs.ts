import type { MergeMethod, Param, Resolved } from "../../method.ts";
import { defineTaskVectors } from "./family.ts";
import { densitiesOf, densityParam, likeMergekit } from "./params.ts";
import { keepLargest } from "./reference.ts";

const gammaParam: Param = {
  kind: "number",
  scope: "model",
  label: "Gamma",
  help: "The fraction of this model's changes that is dropped as outliers, the largest ones.",
  min: 0,
  max: 0.1,
  step: 0.005,
  default: 0.01,
};

/**
 * Number of a model's elements down to the smallest that is kept, and of the outliers among them.
 * With mergekit the density goes before gamma: fewer outliers are dropped where too few elements
 * would be left, and none at a density of 1.
 */
function countBand(resolved: Resolved, model: number, elements: number) {
  const gamma = Number(resolved.models[model]!.gamma);
  const kept = Math.trunc(Math.min(1, densitiesOf(resolved)[model]!) * elements);
  const outliers = Math.trunc(Math.min(1, Math.max(0, gamma)) * elements);
  const down = Math.min(elements, kept + outliers);
  return { down, outliers: likeMergekit(resolved) ? down - kept : outliers };
}

/** Whether a model's change is sparsified at all. */
const trims = (resolved: Resolved, model: number) =>
  !likeMergekit(resolved) || densitiesOf(resolved)[model]! < 1;

/**
 * Defines one of the two variants of Model Breadcrumbs: with TIES' sign election, or as a plain sum.
 */
export function defineBreadcrumbs(
  about: Pick<MergeMethod, "id" | "title" | "summary"> & { readonly elect: boolean },
): MergeMethod {
  return defineTaskVectors({
    ...about,
    paper: { label: "Model Breadcrumbs", url: "https://arxiv.org/abs/2312.06795" },
    normalize: false,
    rescale: false,
    params: {
      density: densityParam("The fraction of this model's changes that is kept."),
      gamma: gammaParam,
    },
    profile: "mergekit keeps outliers where the density asks for them; the paper drops them all.",
    differ(resolved) {
      const cut = resolved.models.some(
        ({ gamma }, m) => Number(gamma) > 0 && Number(gamma) + densitiesOf(resolved)[m]! > 1,
      );
      return cut
        ? "where density and gamma exceed 1 mergekit keeps outliers, and the paper drops all of gamma"
        : null;
    },
    select(resolved) {
      if (!resolved.models.some((_, m) => trims(resolved, m))) return null;
      const counts = (elements: number) =>
        resolved.models.map((_, m) => {
          const { down, outliers } = countBand(resolved, m, elements);
          return [down, outliers];
        });
      return { rule: "magnitude", shared: false, of: "all", counts };
    },
    thins: () => "band",
    thinning({ resolved, cuts }, m) {
      const [cut, above] = cuts[m] ?? [];
      if (!trims(resolved, m) || !cut || !above) return { kind: "none" };
      return { kind: "band", cut, above };
    },
    keep({ resolved }, m, sizes) {
      if (!trims(resolved, m)) return Array.from(sizes, () => 1);
      const { down, outliers } = countBand(resolved, m, sizes.length);
      const largest = keepLargest(sizes, outliers);
      return keepLargest(sizes, down).map((isKept, i) => isKept - largest[i]!);
    },
  });
}
