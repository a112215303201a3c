import { describe, expect, test } from "vitest";
import type { Facts, UnitTensor, Values } from "../method.ts";
import { resolveGlobal } from "../recipe/resolve.ts";
import varm from "./varm.ts";

/**
 * Worked numbers by hand: a model of 18 scalars, two targets A and B, after arXiv 2402.16107, Eq. 7.
 * Per tensor: the pivot's values and how far A and B moved them.
 */
const TENSORS = {
  "model.embed_tokens.weight": [
    [1, 2, 3, 4],
    [0.1, 0, 0, 0],
    [0.1, 0.1, 0.1, 0.1],
  ],
  "model.layers.0.self_attn.q_proj.weight": [
    [1, 0, 0, 1],
    [0.2, 0.2, 0, 0],
    [0.1, 0, 0.1, 0],
  ],
  "model.layers.0.self_attn.o_proj.weight": [
    [2, 2],
    [0.1, 0.3],
    [0.2, 0],
  ],
  "model.layers.0.mlp.up_proj.weight": [
    [1, 1, 1, 1],
    [0.1, 0.1, 0.1, 0.1],
    [0.3, 0, 0, 0.3],
  ],
  "model.layers.0.input_layernorm.weight": [
    [1, 1],
    [0, 0],
    [0, 0],
  ],
  "model.norm.weight": [
    [1, 1],
    [0.1, -0.1],
    [0, 0],
  ],
} as const satisfies Record<
  string,
  readonly [readonly number[], readonly number[], readonly number[]]
>;
type Name = keyof typeof TENSORS;
const NAMES = Object.keys(TENSORS) as Name[];
const Q = "model.layers.0.self_attn.q_proj.weight";

function globalOf(parameters: Record<string, string | number>): Values {
  return resolveGlobal(varm, { method: "varm", models: [], parameters });
}

/** The unit of `tensor`, as the planner would gather and the GPU would measure it. */
function unitOf(tensor: Name, global: Values) {
  const key = varm.unit?.(tensor, global);
  return NAMES.filter((name) => varm.unit?.(name, global) === key).map((name) => {
    const [base, ...deltas] = TENSORS[name];
    const facts = deltas.map((delta): Facts => {
      const sum = (f: (d: number) => number) => delta.reduce<number>((s, d) => s + f(d), 0);
      return [sum((d) => d), sum((d) => d * d), sum(Math.abs), sum((d) => Number(d !== 0))];
    });
    const resolved = { global, models: deltas.map(() => ({ share: null })) };
    const keys = deltas.map((_, m) => `model-${m}`);
    return {
      name,
      base,
      deltas,
      elementCount: base.length,
      keys,
      hasBase: true,
      cuts: [],
      facts,
      resolved,
    };
  });
}

function sharesOf(tensor: Name, parameters: Record<string, string | number>) {
  const unit: readonly UnitTensor[] = unitOf(tensor, globalOf(parameters));
  return varm.decide(unit)[unit.findIndex(({ name }) => name === tensor)]?.shares;
}

function mergedOf(tensor: Name, parameters: Record<string, string | number>) {
  const unit = unitOf(tensor, globalOf(parameters)).map(({ base, deltas, ...rest }) => ({
    ...rest,
    shape: [base.length],
    base: Float64Array.from(base),
    models: deltas.map((delta) => Float64Array.from(base, (b, i) => b + delta[i]!)),
  }));
  return varm.reference(unit)[unit.findIndex(({ name }) => name === tensor)];
}

const close = (got: ArrayLike<number> | null | undefined, want: readonly number[]) => {
  expect(got?.length).toBe(want.length);
  want.forEach((value, i) => {
    // The worked numbers are given to six digits.
    expect(Math.abs(got![i]! - value) <= 5e-7, `${got![i]} for ${value}`).toBe(true);
  });
};

describe("shares of the worked example", () => {
  test.each<[Name, number, number]>([
    ["model.embed_tokens.weight", 0.2, 0.8],
    [Q, 0.8, 0.2],
    ["model.layers.0.self_attn.o_proj.weight", 0.714286, 0.285714],
    ["model.layers.0.mlp.up_proj.weight", 0.181818, 0.818182],
    ["model.norm.weight", 1, 0],
  ])("matrix: %s is shared %f : %f", (tensor, a, b) => {
    close(sharesOf(tensor, { granularity: "matrix" }), [a, b]);
  });

  test("a matrix that no target changed keeps the base, or is shared out equally", () => {
    const norm = "model.layers.0.input_layernorm.weight";
    close(sharesOf(norm, { zero_rule: "base" }), [0, 0]);
    close(sharesOf(norm, { zero_rule: "equal" }), [0.5, 0.5]);
  });

  test("the released scripts share equally as soon as one target is unchanged", () => {
    const released = { profile: "fusechat-v1", granularity: "avg_param" };
    close(sharesOf("model.norm.weight", released), [0.5, 0.5]);
    close(sharesOf(Q, released), [0.8, 0.2]);
    close(sharesOf(Q, { ...released, analysis: "shared" }), [0.5, 0.5]);
  });

  test.each<[string, Name, number, number]>([
    ["layer", Q, 0.533333, 0.466667],
    ["layer", "model.embed_tokens.weight", 0.5, 0.5],
    ["module", Q, 0.736842, 0.263158],
    ["module", "model.layers.0.mlp.up_proj.weight", 0.181818, 0.818182],
    ["model", Q, 0.471698, 0.528302],
  ])("%s: %s is shared %f : %f", (granularity, tensor, a, b) => {
    close(sharesOf(tensor, { granularity }), [a, b]);
  });

  test("avg_weight multiplies by the share of elements that moved", () => {
    close(sharesOf(Q, { profile: "fusechat-v1", granularity: "avg_weight" }), [0.521822, 0.478178]);
  });
});

describe("the worked example's q, merged", () => {
  test.each([
    ["matrix", [1.18, 0.16, 0.02, 1]],
    ["module", [1.173684, 0.147368, 0.026316, 1]],
    ["layer", [1.153333, 0.106667, 0.046667, 1]],
    ["model", [1.14717, 0.09434, 0.05283, 1]],
    ["parameter", [1.18, 0.2, 0.1, 1]],
  ])("%s", (granularity, expected) => {
    close(mergedOf(Q, { granularity }), expected);
  });

  test("at parameter level the released scripts turn what nobody changed into 0", () => {
    const merged = mergedOf(Q, { profile: "fusechat-v1", granularity: "avg_item" });
    expect(merged?.[3]).toBe(0);
  });

  test("the released scripts round every product and sum to bf16", () => {
    const merged = mergedOf(Q, { profile: "fusechat-v1", granularity: "avg_param" });
    // The weight itself stays float32: so the goldens of the released functions, bit for bit.
    close(merged, [1.1796875, 0.16015625, 0.0200195312, 1]);
  });
});

describe("shares stated by hand", () => {
  const decideWith = (shares: readonly (number | null)[]) => {
    const unit = unitOf(Q, globalOf({})).map((tensor) => ({
      ...tensor,
      resolved: { ...tensor.resolved, models: shares.map((share) => ({ share })) },
    }));
    return varm.decide(unit)[0]?.shares;
  };
  test("hold as they are", () => close(decideWith([0.3, 0.3]), [0.3, 0.3]));
  test("leave the rest to the others", () => close(decideWith([0.3, null]), [0.3, 0.7]));
});

test("a softmax without a temperature above 0 is refused", () => {
  expect(varm.refuse?.(globalOf({ normalise: "softmax", temperature: 0 }), [])).toMatch(
    /temperature/,
  );
  expect(varm.refuse?.(globalOf({ normalise: "softmax", temperature: 1e-5 }), [])).toBeNull();
});
