import { afterAll, beforeAll, describe, test } from "vitest";
import type { Recipe } from "../contract/index.ts";
import { GpuProvider } from "../gpu/device.ts";
import { methods } from "./registry.ts";
import type { Asked } from "./testFamily.ts";
import { laws, variantsOf } from "./testLaws.ts";

const sceProfile = (profile: string) => ({ select_topk: 0.6, profile });

/** Paths through a method worth walking; of one that is not here, each switch and each word. */
const SETTINGS: Readonly<Record<string, readonly Recipe["parameters"][]>> = {
  linear: [{ weight: 0.6 }, { weight: 0.6, normalize: false }],
  task_arithmetic: [
    { weight: 0.4 },
    { weight: 0.4, normalize: true, lambda: 0.7 },
    { weight: 0.4, profile: "paper" },
  ],
  ties: [
    { weight: 0.4, density: 0.3 },
    { weight: [0.2, 0.9], density: 0.7, rescale: true, lambda: 0.8, normalize: false },
    { weight: [0.2, -0.9], density: 0.3, profile: "paper" },
    // Keeps one element of the small tensors with mergekit, and none with the paper.
    { weight: 0.4, density: 0.001 },
    { weight: 0.4, density: 0.001, profile: "paper" },
    { weight: 0.4, density: 0.3, rescale: [{ filter: "q_proj", value: true }, { value: false }] },
  ],
  dare_linear: [
    { weight: 0.4, density: 0.3, profile: "paper" },
    { weight: 0.4, density: 0.3, profile: "mergekit", normalize: true },
    {
      weight: 0.4,
      density: 0.3,
      profile: "mergekit",
      rescale: [{ filter: "q_proj", value: false }, { value: true }],
    },
  ],
  dare_ties: [
    { weight: 0.4, density: 0.5, seed: 7, profile: "paper" },
    // Not by weighed votes: three changes that cancel exactly leave a sum of rounding as their vote.
    { weight: 0.4, density: 0.5, rescale: false, normalize: true, profile: "paper" },
  ],
  breadcrumbs: [
    { weight: 0.4, density: 0.3, gamma: 0.05 },
    // Fewer than gamma are left to drop, with mergekit; of the small tensors nothing is an outlier.
    { weight: [0.2, 0.9], density: 0.9, gamma: 0.2, rescale: true },
    { weight: 0.4, density: 0.9, gamma: 0.2, profile: "paper" },
  ],
  breadcrumbs_ties: [
    { weight: 0.4, density: 0.5, normalize: true, lambda: 0.7 },
    { weight: [0.2, -0.9], density: 0.3, profile: "paper" },
  ],
  della: [
    { weight: 0.4, density: 0.5 },
    { weight: [0.2, 0.9], density: 0.6, epsilon: 0.3, seed: 3, profile: "paper" },
  ],
  della_linear: [
    { weight: 0.4, density: 0.5, normalize: true, lambda: 0.7 },
    { weight: 0.4, density: 0.4, epsilon: 0.1, rescale: false },
    { weight: 0.4, density: [0, 0.4, 1], epsilon: 0.1, profile: "paper" },
  ],
  ramplus_tl: [{}, { epsilon: 0.005, r: 0.5, alpha: 1 }, { profile: "paper" }],
  sce: [{}, { select_topk: 0.3 }, ...["fusechat-v2", "paper"].map(sceProfile)],
  slerp: [{ t: 0.3 }, { t: [0, 1] }],
  nuslerp: [
    { weight: 0.4 },
    { weight: [0.2, 0.9], nuslerp_flatten: false },
    { weight: 0.4, nuslerp_flatten: false, nuslerp_row_wise: true },
    { weight: 0.4, profile: "paper" },
  ],
  varm: [
    ...["model", "layer", "module", "matrix", "parameter"].map((granularity) => ({ granularity })),
    { statistic: "abs" },
    { statistic: "signed" },
    { normalise: "softmax", temperature: 1e-4 },
    { granularity: "parameter", statistic: "abs", normalise: "softmax", temperature: 0.01 },
    { zero_rule: "equal", exclude: ["norm"] },
    { share: [{ filter: "q_proj", value: 0.5 }] },
  ],
};
const CASES = [...methods].flatMap(([id, method]) =>
  (SETTINGS[id] ?? variantsOf(method)).flatMap((parameters) => {
    const bases = { required: [true], none: [false], optional: [true, false] }[method.base];
    return bases.map((hasBase): [string, Asked] => {
      const base =
        method.base === "optional" ? (hasBase ? ", with a base" : ", without a base") : "";
      return [`${id} ${JSON.stringify(parameters)}${base}`, { method, parameters, hasBase }];
    });
  }),
);

let gpuProvider: GpuProvider;
beforeAll(() => {
  gpuProvider = new GpuProvider(navigator.gpu);
});
afterAll(async () => (await gpuProvider.get()).destroy());

describe.each(CASES)("%s", (_, asked) => {
  const isFirst = CASES.find(([, { method }]) => method === asked.method)?.[1] === asked;
  const held = laws.filter(({ once }) => isFirst || !once);
  test.each(held)("$says", ({ check }) => check(asked, gpuProvider));
});
