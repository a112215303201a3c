import { expect, test } from "vitest";
import { type Checkpoint, readTensor } from "../checkpoint/checkpoint.ts";
import { parseConfig } from "../checkpoint/config.ts";
import type { LibraryReader } from "../checkpoint/library/library.ts";
import { openCheckpoint } from "../checkpoint/open.ts";
import { writeCheckpoint } from "../checkpoint/writeCheckpoint.ts";
import { EngineError, type ModelCard } from "../contract/index.ts";
import { bytesInMemory, type FileTreeWriter, readAll } from "../core/bytes.ts";
import { createMemoryTree } from "../core/memoryTree.ts";
import { createRandom } from "../core/random.ts";
import { fromF32, toF32 } from "../core/tensor/convert.ts";
import { checkpointOf, randomValues, type TestTensor } from "../merge/testCheckpoints.ts";
import { planMixture } from "./planMixture.ts";

const [HIDDEN, INNER, LAYERS] = [6, 4, 2];
const SIGNAL = new AbortController().signal;

/** A dense model of two layers in BF16. */
function dense(name: string, seed: number, change: Record<string, unknown> = {}): Checkpoint {
  const random = createRandom(seed);
  const { drop, add, ...fields } = change as { drop?: string; add?: Record<string, number[]> };
  const tensor = (...shape: readonly number[]): TestTensor => ({
    shape,
    values: randomValues(
      shape.reduce((product, axis) => product * axis, 1),
      random,
    ),
    dtype: "BF16",
  });
  const layer = (i: number) => ({
    [`model.layers.${i}.mlp.down_proj.weight`]: tensor(HIDDEN, INNER),
    [`model.layers.${i}.mlp.gate_proj.weight`]: tensor(INNER, HIDDEN),
    [`model.layers.${i}.mlp.up_proj.weight`]: tensor(INNER, HIDDEN),
    [`model.layers.${i}.self_attn.q_proj.weight`]: tensor(HIDDEN, HIDDEN),
  });
  const tensors: Record<string, TestTensor> = {
    "model.embed_tokens.weight": tensor(9, HIDDEN),
    ...layer(0),
    ...layer(1),
    "model.norm.weight": tensor(HIDDEN),
  };
  if (drop) delete tensors[drop];
  for (const [each, shape] of Object.entries(add ?? {})) tensors[each] = tensor(...shape);
  const text = JSON.stringify({
    model_type: "llama",
    num_hidden_layers: LAYERS,
    hidden_size: HIDDEN,
    num_attention_heads: 2,
    dtype: "bfloat16",
    ...fields,
  });
  return { ...checkpointOf(name, tensors), config: parseConfig(text, "config.json") };
}

function libraryOf(models: readonly Checkpoint[]): LibraryReader {
  const find = (id: string) => models.find(({ name }) => name === id) as Checkpoint;
  const card = (name: string) => ({ id: name, name, state: "complete" }) as ModelCard;
  return {
    list: async () => models.map(({ name }) => card(name)),
    card: async (id) => card(id),
    findByName: async (name) => (find(name) ? card(name) : undefined),
    tree: async (id) => find(id).files,
    open: async (id) => find(id),
  };
}

const BASE = dense("base", 1);
const [TALES, MATHS] = [dense("tales", 2), dense("maths", 3)];
const MODELS = [BASE, TALES, MATHS];
const config = (more = "", experts = "{source_model: tales}, {source_model: maths}") =>
  `base_model: base\ngate_mode: random\nexperts: [${experts}]\n${more}`;
const plan = (yaml = config(), models: readonly Checkpoint[] = MODELS) =>
  planMixture(libraryOf(models), { yaml, shardBytes: 2 ** 40 });
/** Router rows that count up, so that each is told from every other. */
const gates = async (layer: number) =>
  Float32Array.from({ length: 3 * HIDDEN }, (_, i) => 100 * layer + i);

async function valuesOf(checkpoint: Pick<Checkpoint, "tensors">, name: string) {
  const tensor = checkpoint.tensors.get(name)!;
  return [...toF32(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype)];
}

test("a Mixtral holds the experts' matrices one after the other, and the base's rest", async () => {
  const planned = await plan();
  const tensors = planned.tensors(gates);
  const made = { tensors };
  expect(planned.card).toMatchObject({ architecture: "Mixtral", layers: 2, notes: [] });
  const shapes = [...tensors].map(([name, { shape, dtype }]) => [name, shape, dtype]);
  expect(shapes).toEqual([
    ["model.embed_tokens.weight", [9, 6], "BF16"],
    ...[0, 1].flatMap((i) => [
      [`model.layers.${i}.mlp.experts.gate_up_proj`, [2, 8, 6], "BF16"],
      [`model.layers.${i}.mlp.experts.down_proj`, [2, 6, 4], "BF16"],
      [`model.layers.${i}.mlp.gate.weight`, [2, 6], "BF16"],
      [`model.layers.${i}.self_attn.q_proj.weight`, [6, 6], "BF16"],
    ]),
    ["model.norm.weight", [6], "BF16"],
  ]);
  const joined = async (...parts: readonly (readonly [Checkpoint, string])[]) =>
    (await Promise.all(parts.map(([model, name]) => valuesOf(model, name)))).flat();
  const mlp = "model.layers.1.mlp.";
  expect(await valuesOf(made, `${mlp}experts.gate_up_proj`)).toEqual(
    await joined(
      [TALES, `${mlp}gate_proj.weight`],
      [TALES, `${mlp}up_proj.weight`],
      [MATHS, `${mlp}gate_proj.weight`],
      [MATHS, `${mlp}up_proj.weight`],
    ),
  );
  expect(await valuesOf(made, `${mlp}experts.down_proj`)).toEqual(
    await joined([TALES, `${mlp}down_proj.weight`], [MATHS, `${mlp}down_proj.weight`]),
  );
  expect(await valuesOf(made, `${mlp}gate.weight`)).toEqual(
    Array.from({ length: 12 }, (_, i) => 100 + i),
  );
  const attention = "model.layers.0.self_attn.q_proj.weight";
  expect(await valuesOf(made, attention)).toEqual(await valuesOf(BASE, attention));
});

test("a Qwen2-MoE names each expert, has a shared one with a gate, and zero biases", async () => {
  const planned = await plan(config("shared_experts: [{source_model: base}]"));
  const tensors = planned.tensors(gates);
  expect(planned.card.architecture).toBe("Qwen MoE");
  const mlp = "model.layers.0.mlp.";
  expect(await valuesOf({ tensors }, `${mlp}experts.1.up_proj.weight`)).toEqual(
    await valuesOf(MATHS, `${mlp}up_proj.weight`),
  );
  expect(await valuesOf({ tensors }, `${mlp}shared_expert.down_proj.weight`)).toEqual(
    await valuesOf(BASE, `${mlp}down_proj.weight`),
  );
  expect(tensors.get(`${mlp}shared_expert_gate.weight`)?.shape).toEqual([1, 6]);
  expect(await valuesOf({ tensors }, `${mlp}shared_expert_gate.weight`)).toEqual([
    12, 13, 14, 15, 16, 17,
  ]);
  expect(await valuesOf({ tensors }, "model.layers.0.self_attn.q_proj.bias")).toEqual([
    0, 0, 0, 0, 0, 0,
  ]);
});

test("config.json says what the mixture's class would assume otherwise", async () => {
  const { fields } = (await plan()).configFile;
  expect(fields).toMatchObject({
    architectures: ["MixtralForCausalLM"],
    model_type: "mixtral",
    num_local_experts: 2,
    num_experts_per_tok: 2,
    sliding_window: null,
    num_key_value_heads: 2,
    rope_theta: 10_000,
    rms_norm_eps: 1e-6,
    max_position_embeddings: 2048,
  });
  expect((await plan()).configFile.text).toContain(`"rope_theta": 10000.0`);
});

test("dtype, residual scale and noise change what the config says, and nothing else", async () => {
  const experts =
    "{source_model: tales, residual_scale: 0.3}, {source_model: maths, noise_scale: 0.01}";
  const tensors = (await plan(config("dtype: float32", experts))).tensors(gates);
  const [down, up] = ["down_proj", "gate_up_proj"].map((it) => `model.layers.0.mlp.experts.${it}`);
  const [wide, tall] = [await valuesOf({ tensors }, up!), await valuesOf({ tensors }, down!)];
  expect(tensors.get(up!)?.dtype).toBe("F32");
  const [gate, own] = [
    await valuesOf(TALES, "model.layers.0.mlp.gate_proj.weight"),
    await valuesOf(TALES, "model.layers.0.mlp.down_proj.weight"),
  ];
  expect(wide.slice(0, INNER * HIDDEN)).toEqual(gate);
  // Rounded to the source's BF16 first, as mergekit rounds it.
  const scaled = Float32Array.from(own, (value) => value * Math.fround(0.3));
  expect(tall.slice(0, INNER * HIDDEN)).toEqual([...toF32(fromF32(scaled, "BF16"), "BF16")]);
  const plain = await valuesOf(MATHS, "model.layers.0.mlp.gate_proj.weight");
  const noise = wide.slice(2 * INNER * HIDDEN, 3 * INNER * HIDDEN).map((it, i) => it - plain[i]!);
  const size = Math.sqrt(noise.reduce((sum, it) => sum + it * it, 0) / noise.length);
  // 24 draws: their root mean square is within 5 of its own standard errors, 1/√48.
  expect(Math.abs(size / 0.01 - 1)).toBeLessThan(5 / Math.sqrt(48));
  const again = (await plan(config("dtype: float32", experts))).tensors(gates);
  expect(await valuesOf({ tensors: again }, up!)).toEqual(wide);
  const other = (await plan(config("dtype: float32\nseed: 1", experts))).tensors(gates);
  expect(await valuesOf({ tensors: other }, up!)).not.toEqual(wide);
});

test("any range of a tensor reads as the whole does", async () => {
  const tensor = (await plan()).tensors(gates).get("model.layers.0.mlp.experts.gate_up_proj")!;
  const whole = await readTensor(tensor, 0, tensor.byteLength);
  for (const [start, length] of [
    [0, 2],
    [44, 8],
    [47, 3],
    [50, 120],
    [tensor.byteLength - 4, 4],
  ] as const) {
    expect(await readTensor(tensor, start, length)).toEqual(whole.slice(start, start + length));
  }
});

/** A writer that fails once so many bytes were appended. */
function failing(writer: FileTreeWriter, after: number): FileTreeWriter {
  let left = after;
  return {
    ...writer,
    async open(path, byteLength) {
      const sink = await writer.open(path, byteLength);
      return {
        get durableBytes() {
          return sink.durableBytes;
        },
        async append(bytes) {
          if (bytes.byteLength > left) {
            await sink.append(bytes.slice(0, left));
            left = 0;
            throw new Error("the disk is full");
          }
          left -= bytes.byteLength;
          await sink.append(bytes);
        },
        flush: () => sink.flush(),
      };
    },
  };
}

test("a mixture that was broken off anywhere ends with the same bytes, and opens", async () => {
  const planned = await plan();
  const files = {
    shards: planned.shards,
    sideFiles: new Map([["a.txt", bytesInMemory(new Uint8Array(5))]]),
  };
  const write = (writer: FileTreeWriter) =>
    writeCheckpoint(planned.tensors(gates), files, writer, { signal: SIGNAL });
  const whole = createMemoryTree();
  await write(whole);
  const source = whole.files().get("model.safetensors")!;
  const want = await readAll(source, 2 ** 20);
  for (const after of [1, 9, 1000, 1501, want.byteLength - 1]) {
    const tree = createMemoryTree();
    await expect(write(failing(tree, after))).rejects.toThrow("full");
    expect(tree.sealed).toBe(false);
    await write(tree);
    expect(tree.sealed).toBe(true);
    expect(await readAll(tree.files().get("model.safetensors")!, 2 ** 20)).toEqual(want);
  }
  const opened = await openCheckpoint(whole.files(), "mixture");
  expect(opened.tensors.size).toBe(planned.tensors(gates).size);
});

const missing = "model.layers.1.mlp.up_proj.weight";
test.each<[string, readonly Checkpoint[], string, string, string]>([
  ["a model that is not there", [BASE, TALES], config(), "missing-file", `no model "maths"`],
  [
    "an expert without a matrix",
    [BASE, TALES, dense("maths", 3, { drop: missing })],
    config(),
    "missing-tensor",
    `"maths" has no "${missing}"`,
  ],
  [
    "an expert of another shape",
    [BASE, TALES, dense("maths", 3, { drop: missing, add: { [missing]: [5, 6] } })],
    config(),
    "bad-shape",
    `is [5, 6] in "maths" and [4, 6] in "base"`,
  ],
  [
    "models of two architectures",
    [BASE, TALES, dense("maths", 3, { model_type: "qwen2" })],
    config(),
    "unsupported-architecture",
    `"base" is llama and "maths" is qwen2`,
  ],
  [
    "an architecture that no mixture is made of",
    MODELS.map(({ name }, i) => dense(name, i, { model_type: "gpt2" })),
    config(),
    "unsupported-architecture",
    "not from gpt2",
  ],
  [
    "an output that is not written",
    MODELS,
    config("architecture: deep"),
    "unsupported-architecture",
    "DeepSeek",
  ],
  [
    "shared experts for Mixtral",
    MODELS,
    config("architecture: mixtral\nshared_experts: [{source_model: base}]"),
    "unsupported-architecture",
    "no shared experts",
  ],
  [
    "a bias that the layout has no place for",
    [dense("base", 1, { add: { "model.layers.0.self_attn.q_proj.bias": [6] } }), TALES, MATHS],
    config(),
    "mismatch",
    "Mixtral has no such bias",
  ],
  [
    "fewer layers than config.json says",
    [dense("base", 1, { num_hidden_layers: 3 }), TALES, MATHS],
    config(),
    "missing-tensor",
    "2 gated feed-forward layers",
  ],
])("%s is refused with a sentence", async (_, models, yaml, code, says) => {
  const error = await plan(yaml, models).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
});
