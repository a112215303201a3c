import { describe, expect, test } from "vitest";
import type { QuantisedWeights } from "../../checkpoint/checkpoint.ts";
import { EngineError } from "../../contract/index.ts";
import { makeModel, type Tensors } from "../testModels.ts";
import { codes, plan } from "./testPlan.ts";

const EMBED = "model.embed_tokens.weight";
const Q0 = "model.layers.0.self_attn.q_proj.weight";
const Q1 = "model.layers.1.self_attn.q_proj.weight";
const HEAD = "lm_head.weight";
const LLAMA: Tensors = {
  [EMBED]: ["BF16", [8, 4]],
  [Q0]: ["BF16", [4, 4]],
  [Q1]: ["BF16", [4, 4]],
};
const FORMS = {
  linear:
    "merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 1}}",
  task: "merge_method: task_arithmetic\nbase_model: base\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 1}}\nparameters: {profile: paper}",
  varm: "merge_method: varm\nbase_model: base\nmodels: [{model: a}, {model: b}]",
  slerp: "merge_method: slerp\nbase_model: base\nmodels: [{model: a}]\nparameters: {t: 0.5}",
};

const three = (change: Tensors = {}, config: Record<string, unknown> = {}) => [
  makeModel("base", LLAMA),
  makeModel("a", LLAMA),
  makeModel("b", { ...LLAMA, ...change }, config),
];
const without = (tensor: string): Tensors =>
  Object.fromEntries(Object.entries(LLAMA).filter(([name]) => name !== tensor));
const refusal = (run: () => unknown): EngineError => {
  try {
    run();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe("a plan of models that fit", () => {
  test.each(Object.entries(FORMS))("has every tensor, merged, without findings: %s", (_, text) => {
    const { card, outputs } = plan(text, three());
    expect(card.runnable).toBe(true);
    expect(card.findings).toEqual([]);
    expect(outputs.map(({ name, action }) => [name, action])).toEqual(
      Object.keys(LLAMA).map((name) => [name, "merge"]),
    );
    expect(card.tensors.map(({ dtype }) => dtype)).toEqual(["BF16", "BF16", "BF16"]);
  });

  test("costs one reading, or two of tensors that need facts first and do not fit the GPU", () => {
    const once = plan(FORMS.task, three()).card;
    const stays = plan(FORMS.varm, three()).card;
    // Three sources and a result twice, in bf16: the largest tensor, of 32 elements, takes 320 bytes.
    const small = { budget: { tileBytes: 200, slots: 3 } };
    const twice = plan(FORMS.varm, three(), small).card;
    const largest = 3 * 2 * 32;
    const bytes = 3 * 2 * (32 + 16 + 16);
    expect([once.passes, once.readBytes]).toEqual([1, bytes]);
    expect([stays.passes, stays.readBytes]).toEqual([1, bytes]);
    expect([twice.passes, twice.readBytes]).toEqual([2, bytes + largest]);
    expect(once.writeBytes).toBeGreaterThanOrEqual(128);
    expect([once.peakGpuBytes, stays.peakGpuBytes]).toEqual([3 * 320, 3 * 320]);
    expect(twice.peakGpuBytes).toBe(3 * 200);
  });

  test("writes out_dtype, else dtype, else what the template stores", () => {
    const dtype = (more: string) =>
      plan(`${FORMS.linear}\n${more}`, three()).outputs.map((output) => output.dtype)[1];
    expect(dtype("dtype: float16\nout_dtype: float32")).toBe("F32");
    expect(dtype("dtype: float16")).toBe("F16");
    expect(dtype("")).toBe("BF16");
    expect(plan(FORMS.linear, three({ [Q0]: ["F64", [4, 4]] })).outputs[1]?.dtype).toBe("BF16");
  });

  test("takes mergekit's form of slerp, which lists the base among the models", () => {
    const text = FORMS.slerp.replace("[{model: a}]", "[{model: base}, {model: a}]");
    const models = three();
    const listed = plan(text, models);
    const beside = plan(FORMS.slerp, models);
    expect(listed.keys).toEqual(["a"]);
    expect(listed.outputs.map(({ models, base }) => [models, base])).toEqual(
      beside.outputs.map(({ models, base }) => [models, base]),
    );
  });

  test("takes config and order from a base that a linear recipe lists", () => {
    const text = `${FORMS.linear}\nbase_model: b`;
    expect(plan(text, three()).template.name).toBe("b");
  });
});

describe("dtypes", () => {
  test("that cannot be written become the narrowest that holds them, with a note", () => {
    const wide: Tensors = { ...LLAMA, [Q0]: ["F64", [4, 4]], [Q1]: ["F8_E4M3", [4, 4]] };
    const models = ["base", "a", "b"].map((name) => makeModel(name, wide));
    const { card, outputs } = plan(FORMS.task, models);
    expect(outputs.map(({ dtype }) => dtype)).toEqual(["BF16", "F32", "BF16"]);
    expect(card.findings).toMatchObject([{ severity: "note" }]);
    expect(card.findings[0]?.message).toContain("2 tensors are written otherwise");
    expect(plan(`${FORMS.task}\nout_dtype: float16`, models).card.findings).toEqual([]);
  });

  test("of copies stay, and a note says so where the recipe wants another", () => {
    const recipe = `${FORMS.varm}\nparameters: {exclude: [embed]}\nout_dtype: `;
    expect(plan(`${recipe}bfloat16`, three()).card.findings).toEqual([]);
    const { card } = plan(`${recipe}float32`, three());
    expect(card.findings[0]?.message).toContain("1 tensor is copied as stored, not as F32");
  });

  test("that differ between models are noted once a model", () => {
    const { card } = plan(FORMS.task, three({ [Q0]: ["F32", [4, 4]], [Q1]: ["F32", [4, 4]] }));
    expect(card.findings.map(({ message }) => message)).toEqual([
      '"b" stores 2 tensors as F32 where "base" has BF16; all are computed in float32.',
    ]);
  });
});

describe("a recipe that the method cannot follow", () => {
  test.each([
    ["slerp with two models", FORMS.slerp.replace("[{model: a}]", "[{model: a}, {model: b}]"), "2"],
    ["varm without a base", FORMS.varm.replace("base_model: base\n", ""), "base_model"],
    ["linear with a base that is not listed", `${FORMS.linear}\nbase_model: base`, `"base"`],
    ["a missing weight", FORMS.linear.replace("{weight: 1}", "{}"), `"weight" of "a"`],
    [
      "a temperature of 0 for one tensor",
      `${FORMS.varm}\nparameters: {normalise: softmax, temperature: [{filter: embed, value: 0}, {value: 1}]}`,
      "temperature",
    ],
    [
      "softmax at temperature 0",
      `${FORMS.varm}\nparameters: {normalise: softmax, temperature: 0}`,
      "temperature",
    ],
  ])("%s is refused", (_, text, names) => {
    const error = refusal(() => plan(text, three()));
    expect(error.code).toBe("bad-recipe");
    expect(error.message).toContain(names);
  });
});

describe("models that do not fit", () => {
  test.each([
    ["another architecture", { architecture: "GPTNeoXForCausalLM" }, "GPTNeoXForCausalLM"],
    ["another depth", { layers: 3 }, "3 layers"],
    ["another width", { hidden: 5 }, "hidden size of 5"],
  ])("%s forbids the merge", (_, config, words) => {
    const { card } = plan(FORMS.linear, three({}, config));
    expect(card.runnable).toBe(false);
    expect(card.findings[0]?.message).toContain(words);
    expect(card.findings[0]?.model).toBe("b");
  });

  test("one without tensors, such as an ONNX export, is an error of its own", () => {
    const { card } = plan(FORMS.linear, [makeModel("a", LLAMA), makeModel("b", {})]);
    expect(card.runnable).toBe(false);
    expect(card.findings[0]).toMatchObject({ code: "not-mergeable", model: "b" });
    expect(plan(FORMS.linear, [makeModel("a", {}), makeModel("b", {})]).card.runnable).toBe(false);
  });

  test("quantised ones are noted where they are dequantised, and refused where not", () => {
    const withKinds = (...quantised: QuantisedWeights[]) => {
      const models = three().map((model) => (model.name === "a" ? { ...model, quantised } : model));
      return plan(FORMS.linear, models);
    };
    const read = { format: "FP8 with scales", count: 3, example: Q0, refusal: null };
    expect(codes(withKinds(read))).toEqual(["note info"]);
    const refused = {
      format: "GPTQ",
      count: 1,
      example: Q1,
      refusal: "weights in GPTQ are not read",
    };
    const { card } = withKinds(read, refused);
    expect(card.runnable).toBe(false);
    expect(card.findings[0]).toMatchObject({
      severity: "error",
      code: "not-mergeable",
      tensor: Q1,
    });
    expect(card.findings[0]?.message).toContain("weights in GPTQ are not read");
  });

  test("a config that speaks of a quantisation over plain weights is noted", () => {
    const config = { quantization_config: { quant_method: "bitsandbytes" } };
    expect(codes(plan(FORMS.linear, three({}, config)))).toEqual(["note info"]);
  });

  test("another rotary base is warned about, and says whose holds", () => {
    const models = [1e4, 1e6].map((rope_theta, i) => makeModel("ab"[i]!, LLAMA, { rope_theta }));
    const { card } = plan(FORMS.linear, models);
    expect(card.findings[0]?.message).toBe(
      '"rope_theta" is 1000000 in "b" and 10000 in "a"; the result says what "a" says.',
    );
  });

  test("one mismatch in a great many tensors is said once, with all of them", () => {
    const many = (shape: readonly number[]): Tensors =>
      Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`x${i}`, ["F32", shape]]));
    const { card } = plan(FORMS.linear, [makeModel("a", many([2])), makeModel("b", many([3]))]);
    expect(card.findings).toHaveLength(1);
    expect(card.findings[0]?.items).toHaveLength(600);
    expect(card.findings[0]?.message).toContain("The same holds for 599 tensors more");
    expect(card.runnable).toBe(false);
  });

  test("more findings than a person can read are counted", () => {
    const findings = Array.from({ length: 600 }, (_, i) => ({
      severity: "note" as const,
      code: "info" as const,
      message: `Note ${i}.`,
    }));
    const { card } = plan(FORMS.linear, three({}), { findings });
    expect(card.findings).toHaveLength(501);
    expect(card.findings.at(-1)?.message).toContain("100 findings more");
  });

  test("another shape inside the stack forbids the merge and names tensor and model", () => {
    const { card } = plan(FORMS.linear, three({ [Q0]: ["BF16", [4, 5]] }));
    expect(card.runnable).toBe(false);
    expect(card.findings[0]).toMatchObject({ code: "mismatch", model: "b", tensor: Q0 });
  });
});

describe("rows of tokens", () => {
  test.each([
    ["linear", FORMS.linear, 6],
    ["slerp", FORMS.slerp.replace("model: a", "model: b"), 6],
  ])("%s cuts to the rows that all have, and the config follows", (_, text, rows) => {
    const found = plan(text, three({ [EMBED]: ["BF16", [6, 4]] }));
    expect(found.card.runnable).toBe(true);
    expect(found.outputs[0]).toMatchObject({ shape: [rows, 4], elementCount: rows * 4 });
    expect(found.configChanges).toEqual({ vocabSize: rows });
    expect(codes(found)).toEqual(["warning mismatch"]);
  });

  test.each([
    ["varm", FORMS.varm],
    ["task_arithmetic", FORMS.task],
  ])("%s cuts a longer model to the base, and refuses a shorter one", (_, text) => {
    const longer = plan(text, three({ [EMBED]: ["BF16", [9, 4]] }));
    expect([longer.card.runnable, longer.outputs[0]?.shape]).toEqual([true, [8, 4]]);
    expect(longer.configChanges).toEqual({});
    const shorter = plan(text, three({ [EMBED]: ["BF16", [7, 4]] }));
    expect([shorter.card.runnable, codes(shorter)]).toEqual([false, ["error mismatch"]]);
  });
});

describe("heads", () => {
  const own: Tensors = { ...LLAMA, [HEAD]: ["BF16", [8, 4]] };

  test("stay away where all models tie them", () => {
    const tie = (architecture: string) =>
      three().map(({ name }) => makeModel(name, LLAMA, { tied: true, architecture }));
    const found = plan(FORMS.varm, tie("LlamaForCausalLM"));
    expect(found.outputs.map(({ name }) => name)).not.toContain(HEAD);
    expect(codes(found)).toEqual(["note info"]);
    expect(codes(plan(FORMS.varm, tie("LlamaModel")))).toEqual([]); // it has none to tie
  });

  test("of one model bring in the embedding of the one that ties it", () => {
    const models = [makeModel("a", LLAMA, { tied: true }), makeModel("b", own)];
    const found = plan(FORMS.linear, models);
    const head = found.outputs.find(({ name }) => name === HEAD)!;
    expect(head.models.map(({ name }) => name)).toEqual([EMBED, HEAD]);
    expect(found.configChanges).toEqual({ tied: false });
    expect(found.card.findings).toMatchObject([{ severity: "warning", model: "a" }]);
  });
});

describe("tensors that not all models have", () => {
  test("are merged by linear from those that have them, with a warning", () => {
    const text = `${FORMS.linear}\n- {model: base, parameters: {weight: 1}}`;
    const found = plan(text, [
      makeModel("a", LLAMA),
      makeModel("b", without(Q1)),
      makeModel("base", LLAMA),
    ]);
    expect(found.outputs[2]).toMatchObject({ name: Q1, action: "merge", present: [0, 2] });
    expect(found.outputs[2]?.resolved.models).toHaveLength(2);
    expect(found.card.findings).toMatchObject([
      { severity: "warning", code: "missing-tensor", model: "b", tensor: Q1 },
    ]);
  });

  test("need the base's, where the method works from a base", () => {
    const models = [makeModel("base", without(Q1)), makeModel("a", LLAMA), makeModel("b", LLAMA)];
    const found = plan(FORMS.varm, models);
    expect([found.card.runnable, found.card.findings[0]?.code]).toEqual([false, "missing-tensor"]);
  });

  test("are the base's where no model has them", () => {
    const models = [
      makeModel("base", LLAMA),
      makeModel("a", without(Q1)),
      makeModel("b", without(Q1)),
    ];
    const found = plan(FORMS.task, models);
    expect(found.outputs[2]).toMatchObject({ action: "copy", models: [] });
    expect(codes(found)).toEqual(["warning missing-tensor"]);
  });

  test("come after the template's, by name", () => {
    const models = [
      makeModel("a", LLAMA),
      makeModel("b", { ...LLAMA, z: ["F32", [2]], y: ["F32", [2]] }),
    ];
    const names = plan(FORMS.linear, models).outputs.map(({ name }) => name);
    expect(names).toEqual([...Object.keys(LLAMA), "y", "z"]);
  });
});

describe("tensors that are not merged", () => {
  test("integers are to be copied if equal, and the plan lists who must agree", () => {
    const models = ["base", "a", "b"].map((name) =>
      makeModel(name, { ...LLAMA, ids: ["I64", [3]] }),
    );
    const found = plan(FORMS.varm, models);
    const ids = found.outputs.at(-1)!;
    expect(ids).toMatchObject({ action: "copy", dtype: "I64", present: [0, 1] });
    expect(ids.base).not.toBeNull();
    expect(codes(found)).toEqual(["note info"]);
  });

  test.each([
    ["a sub-byte type", "F4", "not-mergeable"],
    ["an integer beside a float", "I8", "not-mergeable"],
  ] as const)("%s forbids the merge", (_, dtype, code) => {
    const found = plan(FORMS.varm, three({ [Q0]: [dtype, [4, 4]] }));
    expect([found.card.runnable, found.card.findings[0]?.code]).toEqual([false, code]);
  });

  test("names outside the patterns keep the base's bytes", () => {
    const found = plan(`${FORMS.varm}\nparameters: {exclude: [embed]}`, three());
    expect(found.outputs[0]).toMatchObject({ action: "copy", models: [] });
    expect(found.card.tensors.map(({ dtype }) => dtype)).toEqual(["as-is", "BF16", "BF16"]);
    expect(found.outputs[0]?.copyFrom).toBe(found.template.tensors.get(EMBED));
  });
});
