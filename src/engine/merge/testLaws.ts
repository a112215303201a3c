import { expect } from "vitest";
import { readTensor } from "../checkpoint/checkpoint.ts";
import type { Recipe } from "../contract/index.ts";
import { toF64 } from "../core/tensor/convert.ts";
import type { GpuProvider } from "../gpu/device.ts";
import { BLOCK_ELEMENTS } from "../gpu/tiles/tiling.ts";
import { makeWeightMap } from "./map/weightMap.ts";
import { type MergeMethod, methodCard } from "./method.ts";
import { bytesToMeasure } from "./plan/estimate.ts";
import type { Plan } from "./plan/outputTensor.ts";
import { groupUnits } from "./run/decide.ts";
import { measure } from "./run/measure.ts";
import {
  type Asked,
  type Family,
  makeCountedFamily,
  makeFamily,
  mergeFamily,
  planFamily,
  readFamily,
  referenceFamily,
} from "./testFamily.ts";

/** A property of every merge method; `check` throws where it does not hold. */
export interface Law {
  readonly says: string;
  /** Whether one set of parameters is enough. */
  readonly once?: true;
  check(asked: Asked, gpuProvider: GpuProvider): Promise<void>;
}

/**
 * Four roundings of half an ulp each for a model, at the largest magnitude that occurs (a product, a
 * difference, a sum, the share's own rounding), and the shares' error: block sums are
 * good to 1e-6, which moves a result by 1e-6 of a change, or of the value where there is no base to
 * change from. Divisions and exp on the GPU are good to a few ulp (WGSL 15.7.4).
 */
export function boundFor(largest: number, { method, hasBase }: Asked, models = 3): number {
  const change = hasBase && !method.blendsBase ? 0.02 : largest;
  return ((4 * models) / 2 + 8) * 2 ** -24 * largest + 1e-6 * change;
}

export const largestOf = (values: Float64Array) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

export function expectNear(
  name: string,
  got: Float64Array,
  want: Float64Array,
  bound: number,
): void {
  const error = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
  expect(error <= bound, `${name}: off by ${error}, which is more than ${bound}`).toBe(true);
}

/** Number of models in a test: the method's maximum, at most three. */
const countOf = ({ models }: MergeMethod) => Math.min(3, models.max);

/** Parameters under which a sum is a mean without rounded steps, so that equal models are given back. */
const asMean = ({ params }: MergeMethod): Recipe["parameters"] =>
  Object.fromEntries(
    Object.keys(params).flatMap((name): readonly (readonly [string, boolean | string])[] => {
      if (name.startsWith("normalize")) return [[name, true]];
      // Directions rounded to 16 bits, as mergekit rounds them, are no longer of equal vectors.
      return name === "profile" ? [[name, "paper"]] : [];
    }),
  );

/** Bytes announced are bytes read; of units of several tensors, some of which may stay, the most. */
function expectAnnounced(plan: Plan, read: number): void {
  const { readBytes } = plan.card;
  if (groupUnits(plan).some((unit) => unit.length > 1)) {
    expect(read).toBeLessThanOrEqual(readBytes);
  } else expect(read).toBe(readBytes);
}

export const laws: readonly Law[] = [
  {
    says: "reads what was announced, and tells it in steps forward to the end",
    async check(asked, gpuProvider) {
      const { read, family } = makeCountedFamily(countOf(asked.method));
      const plan = planFamily(asked, family);
      const tileElements = BLOCK_ELEMENTS;
      for (const captions of [undefined, [], ["agreement"]]) {
        const told = [0];
        read.bytes = 0;
        await measure(plan, gpuProvider, {
          signal: new AbortController().signal,
          tileElements,
          ...(captions ? { captions } : {}),
          progress: (doneBytes) => void told.push(doneBytes),
        });
        const announced = bytesToMeasure(plan, captions);
        expect(read.bytes).toBeLessThanOrEqual(announced);
        expect(told).toEqual(told.toSorted((a, b) => a - b));
        expect(told.at(-1)).toBe(announced);
      }
      read.bytes = 0;
      await mergeFamily(plan, gpuProvider, { tileElements });
      expectAnnounced(plan, read.bytes);
    },
  },
  {
    says: "agrees with its reference on F32, BF16 and F16",
    async check(asked, gpuProvider) {
      for (const dtype of ["F32", "BF16", "F16"] as const) {
        const plan = planFamily(asked, makeFamily(countOf(asked.method), dtype));
        const merged = await mergeFamily(plan, gpuProvider);
        const expected = await referenceFamily(plan);
        expect(expected.size).toBeGreaterThan(0);
        for (const [name, values] of expected) {
          const got = toF64(merged.get(name)!, "F32");
          expectNear(`${name} on ${dtype}`, got, values, boundFor(largestOf(values), asked));
        }
      }
    },
  },
  {
    says: "gives the same bits however it is cut into tiles",
    async check(asked, gpuProvider) {
      const plan = planFamily(asked, makeFamily(countOf(asked.method), "BF16"), "bfloat16");
      const whole = await mergeFamily(plan, gpuProvider);
      for (const blocks of [1, 3]) {
        const tileElements = blocks * BLOCK_ELEMENTS;
        expect(await mergeFamily(plan, gpuProvider, { tileElements })).toEqual(whole);
      }
    },
  },
  {
    says: "gives the base back, bit for bit, where all models are equal to it",
    async check(asked, gpuProvider) {
      const family = makeFamily(countOf(asked.method), "BF16", 0);
      const parameters = { ...asked.parameters, ...(asked.hasBase ? {} : asMean(asked.method)) };
      const plan = planFamily({ ...asked, parameters }, family, "bfloat16");
      for (const [name, bytes] of await mergeFamily(plan, gpuProvider)) {
        const tensor = family.base.tensors.get(name)!;
        // Float32 rounding is far below half a step of bf16.
        expect(bytes, name).toEqual(await readTensor(tensor, 0, tensor.byteLength));
      }
    },
  },
  {
    says: "does not depend on the order of the models, unless it says so",
    once: true,
    async check(asked, gpuProvider) {
      const { method } = asked;
      if (!method.symmetric) return expect(method.models.max).toBe(1);
      const { base, models } = makeFamily(countOf(method), "F32");
      const merge = (family: Family) => mergeFamily(planFamily(asked, family), gpuProvider);
      const forwards = await merge({ base, models });
      const backwards = await merge({ base, models: models.toReversed() });
      for (const [name, bytes] of forwards) {
        const values = toF64(bytes, "F32");
        const got = toF64(backwards.get(name)!, "F32");
        expectNear(name, got, values, boundFor(largestOf(values), asked));
      }
    },
  },
  {
    says: "shows the shares that it merges by",
    async check(asked, gpuProvider) {
      const plan = planFamily(asked, makeFamily(countOf(asked.method), "F32"));
      const signal = new AbortController().signal;
      const measured = await measure(plan, gpuProvider, { signal, captions: ["agreement"] });
      const { cells } = makeWeightMap(plan, measured);
      const merged = await referenceFamily(plan);
      for (const { name, base, models } of await readFamily(plan)) {
        const { shares, spread } = cells.find(({ tensor }) => tensor === name)!;
        expect(shares?.every(Number.isFinite), `${name} has shares`).toBe(true);
        // A blended base has a coefficient that is not among the shares.
        if (spread?.some((each) => each > 0) || asked.method.blendsBase) continue;
        // The base's share is the remainder to 1.
        const rest = 1 - shares!.reduce((sum, share) => sum + share, 0);
        const combined = models[0]!.map((_, i) =>
          models.reduce((sum, x, m) => sum + shares![m]! * x[i]!, base ? rest * base[i]! : 0),
        );
        const values = merged.get(name)!;
        // One step of bf16, for profiles that compute in it.
        expectNear(name, combined, values, 2 ** -7 * largestOf(values));
      }
    },
  },
  {
    says: "has a complete card",
    once: true,
    async check({ method }) {
      const card = methodCard(method);
      expect(card.title).not.toBe("");
      expect(card.summary).toMatch(/^[A-Z].*\.$/);
      expect(card.paper.url).toMatch(/^https:\/\//);
      for (const param of card.params) {
        expect(param.help, param.name).toMatch(/^\S.*\.$/);
        if (param.kind === "number") expect(param.max).toBeGreaterThan(param.min);
        if (param.kind === "choice") expect(param.options).toContain(param.default);
      }
    },
  },
];

/** Values for a method's required parameters, from within the slider's range. */
export function statedAtLeast({ params }: MergeMethod): Recipe["parameters"] {
  return Object.fromEntries(
    Object.entries(params).flatMap(([name, param]) =>
      param.kind === "number" && param.required && param.default === null
        ? [[name, 0.4 * param.max]]
        : [],
    ),
  );
}

/** The same, with some elements left out where a method can do that. */
export function thinned(method: MergeMethod): Recipe["parameters"] {
  const fractions = ["density", "select_topk"].filter((name) => name in method.params);
  return { ...statedAtLeast(method), ...Object.fromEntries(fractions.map((name) => [name, 0.3])) };
}

/** Parameter sets: the required values alone, then each switch turned and each choice taken. */
export function variantsOf(method: MergeMethod): readonly Recipe["parameters"][] {
  const turned = Object.entries(method.params).flatMap(([name, param]): Recipe["parameters"][] => {
    if (param.kind === "boolean") return [{ [name]: !param.default }];
    if (param.kind !== "choice") return [];
    return param.options
      .filter((option) => option !== param.default)
      .map((option) => ({ [name]: option }));
  });
  return [{}, ...turned].map((one) => ({ ...statedAtLeast(method), ...one }));
}
