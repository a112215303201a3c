import { beforeAll, expect, test } from "vitest";
import { PLAIN_FORMATS } from "../engine/core/tensor/weightFormat.ts";
import { linkShader } from "../engine/gpu/link.ts";
import type { ShaderConstants } from "../engine/gpu/shaderConstants.ts";
import { listShaders, shaderText } from "../engine/gpu/shaders.ts";
import { tileConstants } from "../engine/gpu/tiles/tileInput.ts";
import type { Part } from "../engine/gpu/tiles/tiling.ts";
import { MATMUL_FORMS, matmulProgram } from "../engine/runtime/kernels/matmulKernels.ts";
import { openNullDawn } from "./dawn.ts";

/** Which harnesses call the rules of a folder, and for which parts of a tensor. */
const HARNESSES: Readonly<Record<string, readonly (readonly [string, readonly Part[]])[]>> = {
  merge: [["harness/elementwise.wgsl", ["tensor", "row", "column"]]],
  reduce: [
    ["harness/blockwise.wgsl", ["tensor", "row"]],
    ["harness/columnwise.wgsl", ["column"]],
  ],
};
const harnessesOf = (rule: string) => HARNESSES[rule.split("/")[0] as string] ?? [];
const rules = Object.keys(HARNESSES).flatMap((folder) => listShaders(folder));

let device: GPUDevice;
beforeAll(async () => {
  const adapter = await (await openNullDawn()).requestAdapter();
  if (!adapter) throw new Error("Dawn's null backend offered no adapter");
  // WebGPU's default limits: what every device has. Of its features, those that some shaders ask for.
  device = await adapter.requestDevice({ requiredFeatures: ["subgroups", "shader-f16"] });
});

/** What Tint and the pipeline's validation say, by our own file and line; empty when all is well. */
async function complaints(
  paths: readonly string[],
  constants: ShaderConstants,
  readText = shaderText,
): Promise<readonly string[]> {
  const { code, locate } = linkShader(paths, constants, readText);
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const invalid = await device.popErrorScope();
  const said = messages.map(({ lineNum, message }) => `${locate(lineNum)}: ${message}`);
  return invalid && said.length === 0 ? [invalid.message] : said;
}

function combinations(part: Part): readonly ShaderConstants[] {
  const dtypes = ["F32", "BF16", "F16"] as const;
  const formats = Object.values(PLAIN_FORMATS);
  const segments = [1, 2, 3, 8, 16].flatMap((models) =>
    formats.map((format) => Array.from({ length: models }, () => format)),
  );
  const each = part === "tensor" ? 0 : 3;
  return [...segments, formats].flatMap((stored, i) => {
    const arithmetic = dtypes[(i + 1) % 3]!;
    return [
      tileConstants(stored, false, dtypes[i % 3]!, { part, each, arithmetic }),
      tileConstants([stored[0]!, ...stored], true, dtypes[i % 3]!, { part, each, arithmetic }),
    ].map((constants, j) => ({
      ...constants,
      ROWS: constants.MODELS as number,
      LANE_SUMS: j === 0,
      PADDED: i % 2 === 0,
      // Of lib/task_vectors.wgsl; the others have no such constant.
      THINNING: (2 * i + j) % 8,
      ELECTS: i % 2 === 0,
      RESCALES: i % 4 < 2,
      WEIGHED_VOTES: j === 0,
      // Of reduce/gram.wgsl.
      ROUNDS_PRODUCTS: j % 2,
    }));
  });
}

test.each(rules)("%s compiles under its harness for any number of models", async (rule) => {
  for (const [harness, parts] of harnessesOf(rule)) {
    for (const constants of parts.flatMap(combinations)) {
      expect(await complaints([harness, rule], constants), JSON.stringify(constants)).toEqual([]);
    }
  }
});

test.each(listShaders("derive"))("%s compiles for any dtype", async (rule) => {
  for (const constants of combinations("tensor")) {
    expect(await complaints([rule], { ...constants, PASSES: 8 })).toEqual([]);
  }
});

const CONVERSION = "harness/convert.wgsl";

test.each([0, 1, 2, 3])("the conversions compile in mode %i", async (MODE) => {
  expect(await complaints([CONVERSION], { MODE })).toEqual([]);
});

const COPY = "bench/copy.wgsl";

test.each([0, 1])("the copy that benches compare with compiles for output %i", async (OUTPUT) => {
  expect(await complaints([COPY], { OUTPUT })).toEqual([]);
});

/** Shaders of the models that run, with the constants that they are linked under. */
const RUN: readonly (readonly [readonly string[], readonly ShaderConstants[]])[] = [
  ...["rows", "columns", "odd", "half"].flatMap((stored) =>
    MATMUL_FORMS.map((form): readonly [readonly string[], readonly ShaderConstants[]] => {
      const programs = [1, 4, 8].map((rows) => matmulProgram(form, rows, 4));
      const shader = programs[0]?.shader ?? "";
      const constants = programs.flatMap((program, i) =>
        [0, 1, 2].map((STORED) => ({ STORED, IN_OUT: i > 0, ...program.constants })),
      );
      return [[`nn/weights_${stored}.wgsl`, shader], constants];
    }),
  ),
  [["nn/embed.wgsl"], [{ STORED: 0 }, { STORED: 1 }, { STORED: 2 }]],
  [["nn/rope.wgsl"], [{}]],
  [["nn/attention_row.wgsl"], [1, 4, 32, 128].map((QUADS) => ({ QUADS }))],
  [["nn/attention_queries.wgsl"], [1, 3, 16, 24, 32].map((QUADS) => ({ QUADS }))],
  [["nn/attention_lanes.wgsl"], [1, 3, 16, 64, 128].map((QUADS) => ({ QUADS }))],
  [
    ["nn/activation.wgsl"],
    [0, 1, 2, 3].flatMap((ACTIVATION) => [true, false].map((GATED) => ({ ACTIVATION, GATED }))),
  ],
  [["nn/softcap.wgsl"], [{}]],
  [["nn/scale.wgsl"], [{}]],
  ...["norm", "backward/norm_inputs", "backward/norm_weights"].flatMap((name) =>
    ["lanes", "alone"].map((taker): readonly [readonly string[], readonly ShaderConstants[]] => [
      [`nn/${name}.wgsl`, `nn/row_${taker}.wgsl`],
      [{ CENTRED: false }, { CENTRED: true }],
    ]),
  ),
  ...["attention_queries", "attention_keys"].map(
    (name): readonly [readonly string[], readonly ShaderConstants[]] => [
      [`nn/backward/${name}.wgsl`],
      [1, 4, 32, 128].map((QUADS) => ({ QUADS })),
    ],
  ),
  [
    ["nn/backward/activation.wgsl"],
    [0, 1, 2, 3].flatMap((ACTIVATION) => [true, false].map((GATED) => ({ ACTIVATION, GATED }))),
  ],
  ...[
    "attention_deltas",
    "dropout",
    "gather",
    "gradient",
    "low_rank",
    "loss",
    "scatter",
    "unrotate",
  ].map((name): readonly [readonly string[], readonly ShaderConstants[]] => [
    [`nn/backward/${name}.wgsl`],
    [{}],
  ]),
  [["nn/cross_entropy.wgsl"], [{}]],
  [["train/adamw.wgsl"], [{}]],
  [["train/square_sums.wgsl"], [{}]],
  ...listShaders("score").map((score): readonly [readonly string[], readonly ShaderConstants[]] => [
    ["harness/count.wgsl", score],
    (["F32", "BF16", "F16"] as const).flatMap((arithmetic) =>
      [true, false].map((OWN_BINS) => ({
        ...tileConstants(Object.values(PLAIN_FORMATS), true, "F32", { arithmetic }),
        LANES: 256,
        OWN_BINS,
        PADDED: OWN_BINS,
        DIGIT_BITS: OWN_BINS ? 11 : 16,
      })),
    ),
  ]),
  [["harness/narrow.wgsl"], [{ DIGIT_BITS: 11 }, { DIGIT_BITS: 16 }]],
  [["harness/join_lanes.wgsl"], [{}]],
  [["onnx/rows.wgsl"], [{ HALF: false }, { HALF: true }]],
  [["fuse/top_rows.wgsl"], [{ LANES: 32 }, { LANES: 256 }]],
  [["spectrum/three_terms.wgsl"], [{}]],
  [["transplant/largest.wgsl"], [{}]],
  [
    ["spectrum/difference.wgsl"],
    [0, 1, 2].flatMap((MODEL) => [0, 1, 2, 3].map((BASE) => ({ MODEL, BASE }))),
  ],
  [
    ["fuse/mix_rows.wgsl"],
    [true, false].flatMap((BF16) => [true, false].map((BUCKET) => ({ BF16, BUCKET }))),
  ],
];

test.each(RUN)("%j compiles under all its constants", async (paths, all) => {
  for (const constants of all) {
    expect(await complaints(paths, constants), JSON.stringify(constants)).toEqual([]);
  }
});

test("every shader is part of something that was compiled", () => {
  const used = new Set<string>([CONVERSION, COPY, ...listShaders("derive")]);
  const noteUse = (path: string) => {
    used.add(path);
    return shaderText(path);
  };
  for (const rule of rules) {
    for (const [harness] of harnessesOf(rule)) {
      linkShader(
        [harness, rule],
        tileConstants([PLAIN_FORMATS.F32, PLAIN_FORMATS.F32], true, "F32"),
        noteUse,
      );
    }
  }
  for (const [paths] of RUN) linkShader(paths, {}, noteUse);
  const all = Object.keys(import.meta.glob("/shaders/**/*.wgsl", { query: "?raw" }));
  expect(all.length).toBeGreaterThan(5);
  expect(all.filter((path) => !used.has(path.slice("/shaders/".length)))).toEqual([]);
});

test("a shader that is wrong is told by its own file and line", async () => {
  const broken = (path: string) =>
    shaderText(path).replace("var sum = constant(0u) * x[0];", "var sum = constant(0u) * nothing;");
  const constants = tileConstants([PLAIN_FORMATS.F32, PLAIN_FORMATS.F32], false, "F32");
  const said = await complaints(
    ["harness/elementwise.wgsl", "merge/weighted_sum.wgsl"],
    constants,
    broken,
  );
  expect(said[0]).toMatch(/^shaders\/merge\/weighted_sum\.wgsl:3: .*nothing/);
});
