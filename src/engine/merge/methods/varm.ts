import { layerKey, moduleKey } from "../../checkpoint/tensorRoles/role.ts";
import {
  defineMethod,
  type Reduction,
  type Resolved,
  type UnitTensor,
  type Values,
} from "../method.ts";
import { referenceVarm } from "./varm/reference.ts";
import {
  applyStated,
  computeShares,
  GRANULARITIES,
  granularityOf,
  isReleased,
  RELEASED_GRANULARITIES,
  RELEASED_STATISTICS,
  statisticOf,
} from "./varm/shares.ts";

const STATISTIC_CODE = { square: 0, abs: 1, signed: 2 } as const;

/** Sums of each change: Σδ, Σδ², Σ|δ| and the number of elements that differ from the base. */
const CHANGE: Reduction = { rule: "delta", powers: [1, 2, 1, 0] };

const isStated = ({ models }: Resolved) =>
  models.some(({ share }) => share !== null && share !== undefined);
const perElement = (resolved: Resolved) =>
  granularityOf(resolved.global) === "parameter" && !isStated(resolved);

/** Constants of shaders/lib/element_share.wgsl: statistic, softmax, 1 / temperature. */
function elementConstants(global: Values): number[] {
  const statistic = statisticOf(global);
  // Of a single element the absolute value is the size of the signed one.
  const code =
    statistic === "signed" && !isReleased(global) ? STATISTIC_CODE.abs : STATISTIC_CODE[statistic];
  const softmax = global.normalise === "softmax";
  return [code, softmax ? 1 : 0, softmax ? 1 / Number(global.temperature) : 0];
}

const matches = (tensor: string, patterns: Values[string]) =>
  (patterns as readonly string[]).some((pattern) => tensor.includes(pattern));

function decide(unit: readonly UnitTensor[]) {
  const first = unit[0] as UnitTensor;
  const computed =
    granularityOf(first.resolved.global) === "parameter" ? null : computeShares(unit);
  return unit.map(({ resolved }) => {
    if (perElement(resolved)) {
      return { constants: elementConstants(resolved.global), shares: null };
    }
    const start = computed ?? resolved.models.map(() => 1 / resolved.models.length);
    const shares = applyStated(start, resolved.models) ?? start;
    return { constants: shares, shares };
  });
}

/** VaRM: weighs the models, unit by unit, by how much each changed from the base. */
export default defineMethod({
  id: "varm",
  title: "VaRM",
  summary: "Weighs each matrix by how much fine-tuning changed it.",
  paper: { label: "FuseChat, Eq. 7", url: "https://arxiv.org/abs/2402.16107" },
  base: "required",
  models: { min: 1, max: 64 },
  params: {
    granularity: {
      kind: "choice",
      scope: "global",
      label: "Granularity",
      help: "What shares one weight: the whole model, a layer, a module, a matrix or each parameter.",
      options: GRANULARITIES,
      accepts: RELEASED_GRANULARITIES,
      default: "matrix",
    },
    statistic: {
      kind: "choice",
      scope: "global",
      label: "Statistic",
      help: "How change is measured: mean square, mean absolute value, or the size of the mean.",
      options: ["square", "abs", "signed"],
      accepts: RELEASED_STATISTICS,
      default: "square",
    },
    normalise: {
      kind: "choice",
      scope: "global",
      label: "Normalise",
      help: "Divide by the sum, or take a softmax.",
      options: ["sum", "softmax"],
      default: "sum",
    },
    temperature: {
      kind: "number",
      scope: "global",
      label: "Temperature",
      help: "Of the softmax. Mean squares are near 1e-6, so small values are needed to tell them apart.",
      min: 0,
      max: 1,
      step: 0.001,
      default: 1,
      required: false,
    },
    zero_rule: {
      kind: "choice",
      scope: "global",
      label: "Unchanged in all",
      help: "What a unit becomes that no model changed: the base, or an equal share of each.",
      options: ["base", "equal"],
      default: "base",
    },
    include: {
      kind: "patterns",
      scope: "global",
      label: "Include",
      help: "Merge only tensors whose name contains one of these; empty means all.",
      default: [],
    },
    exclude: {
      kind: "patterns",
      scope: "global",
      label: "Exclude",
      help: "Keep the base's values where the name contains one of these.",
      default: [],
    },
    profile: {
      kind: "choice",
      scope: "global",
      label: "Profile",
      help: "studio follows the paper; fusechat-v1 does what the released scripts do, bf16 rounding included.",
      options: ["studio", "fusechat-v1"],
      default: "studio",
    },
    analysis: {
      kind: "choice",
      scope: "global",
      label: "Analysis",
      help: "per_model as in the paper; shared as published: all models read one file, so all weigh the same.",
      options: ["per_model", "shared"],
      default: "per_model",
    },
    share: {
      kind: "number",
      scope: "model",
      label: "Share",
      help: "States this model's share by hand; usually for single tensors, by filter.",
      min: 0,
      max: 1,
      step: 0.01,
      default: null,
      required: false,
    },
  },
  override: "share",
  mergekit: false,
  symmetric: true,

  refuse(global) {
    if (global.normalise === "softmax" && !(Number(global.temperature) > 0)) {
      return `"temperature" is ${global.temperature}, but a softmax needs one above 0.`;
    }
    if (isReleased(global)) return null;
    if (RELEASED_GRANULARITIES.includes(String(global.granularity))) {
      return `"granularity: ${global.granularity}" is a name of the released scripts: add "profile: fusechat-v1", or use one of ${GRANULARITIES.join(", ")}.`;
    }
    if (global.analysis === "shared") {
      return `"analysis: shared" is what the released scripts do: add "profile: fusechat-v1".`;
    }
    return null;
  },
  unit(tensor, global) {
    switch (granularityOf(global)) {
      case "model":
      case "moved":
        return "model";
      case "layer":
        return layerKey(tensor) ?? tensor;
      case "module":
        return moduleKey(tensor);
      default:
        return tensor;
    }
  },
  keep(tensor, global) {
    const kept = isReleased(global) ? "first" : "base";
    if (matches(tensor, global.exclude ?? [])) return kept;
    const include = (global.include ?? []) as readonly string[];
    return include.length > 0 && !matches(tensor, include) ? kept : null;
  },
  reduce: ({ global }) => (granularityOf(global) === "parameter" ? null : CHANGE),
  elementShares: (resolved) => (perElement(resolved) ? "element_share" : null),
  apply(resolved) {
    const released = isReleased(resolved.global);
    if (perElement(resolved)) return released ? "bf16_varm_element" : "varm_element";
    return released ? "bf16_weighted_sum" : "delta_sum";
  },
  decide,
  reference: referenceVarm,
});
