import { expect, test } from "vitest";
import type { EngineError } from "../contract/index.ts";
import { type ByteSource, bytesInMemory } from "../core/bytes.ts";
import { planShards, type TensorToWrite } from "./formats/safetensors/shards.ts";
import { isOnnxExport } from "./onnxExport.ts";
import { openCheckpoint } from "./open.ts";

const POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 500\n";
const f32 = (name: string, ...shape: number[]): TensorToWrite => ({ name, dtype: "F32", shape });
const LLAMA = [f32("model.embed_tokens.weight", 4, 2), f32("lm_head.weight", 4, 2)];

const text = (content: string): ByteSource => bytesInMemory(new TextEncoder().encode(content));

/** The files of a checkpoint, weights zero, as `planShards` lays them out. */
function write(tensors: readonly TensorToWrite[], maxBytes = 1e6): Map<string, ByteSource> {
  const { files, index } = planShards(tensors, { maxBytes, metadata: {} });
  const tree = new Map<string, ByteSource>();
  for (const { path, header, byteLength } of files) {
    const bytes = new Uint8Array(byteLength);
    bytes.set(header);
    tree.set(path, bytesInMemory(bytes));
  }
  if (index !== null) tree.set("model.safetensors.index.json", text(index));
  return tree;
}

const complete = (tree: Map<string, ByteSource>) =>
  tree.set("config.json", text('{"model_type":"llama"}')).set("tokenizer.json", text("{}"));

async function refusal(tree: ReadonlyMap<string, ByteSource>): Promise<EngineError> {
  return openCheckpoint(tree, "ember").then(
    () => Promise.reject(new Error("it was opened")),
    (error: EngineError) => error,
  );
}

test("a complete folder opens without a note", async () => {
  const { name, tensors, config, notes } = await openCheckpoint(complete(write(LLAMA)), "ember");
  expect(name).toBe("ember");
  expect([...tensors.keys()]).toEqual(LLAMA.map((tensor) => tensor.name));
  expect(config?.modelType).toBe("llama");
  expect(notes).toEqual([]);
});

test("shards open the same with their index and without", async () => {
  const tree = complete(write(LLAMA, 40));
  const withIndex = await openCheckpoint(tree, "ember");
  tree.delete("model.safetensors.index.json");
  const without = await openCheckpoint(tree, "ember");
  const facts = ({ tensors }: typeof without) =>
    [...tensors.values()].map(({ source, ...rest }) => rest);
  expect(facts(without)).toEqual(facts(withIndex));
  expect(withIndex.tensors.get("lm_head.weight")?.file).toBe("model-00002-of-00002.safetensors");
});

test("a shard that is missing is named, with an index and without", async () => {
  const tree = write(LLAMA, 40);
  tree.delete("model-00001-of-00002.safetensors");
  for (let round = 0; round < 2; round++) {
    const { code, details } = await refusal(tree);
    expect({ code, details }).toEqual({
      code: "missing-file",
      details: { file: "model-00001-of-00002.safetensors", missing: 1 },
    });
    tree.delete("model.safetensors.index.json");
  }
});

test("a shard's name that claims 99,999 files costs nothing", async () => {
  const one = [...write(LLAMA).values()][0]!;
  const error = await refusal(new Map([["model-00001-of-99999.safetensors", one]]));
  expect(error).toMatchObject({ code: "missing-file", details: { missing: 99_998 } });
});

test.each([
  ["one shard for both", "model-00001-of-00002.safetensors", "model-00001-of-00002.safetensors"],
  ["the shards exchanged", "model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"],
])("an index with %s is refused with tensor and file", async (_, embedding, head) => {
  const places = { "lm_head.weight": head, "model.embed_tokens.weight": embedding };
  const tree = write(LLAMA, 40);
  tree.set("model.safetensors.index.json", text(JSON.stringify({ weight_map: places })));
  const { code, details } = await refusal(tree);
  expect({ code, details }).toEqual({
    code: "missing-tensor",
    details: { tensor: "lm_head.weight", file: "model-00001-of-00002.safetensors" },
  });
});

test("a tensor in two shards is refused with both files", async () => {
  const one = [...write(LLAMA).values()][0]!;
  const tree = new Map([
    ["m-00001-of-00002.safetensors", one],
    ["m-00002-of-00002.safetensors", one],
  ]);
  expect(await refusal(tree)).toMatchObject({
    code: "bad-header",
    details: { file: "m-00002-of-00002.safetensors", other: "m-00001-of-00002.safetensors" },
  });
});

test.each<[string, Record<string, string>, string, string]>([
  ["nothing", {}, "missing-file", "no weights"],
  ["only GGUF", { "m.gguf": "GGUF" }, "unsupported-architecture", "m.gguf is a GGUF file"],
  ["only Flax", { "flax_model.msgpack": "x" }, "unsupported-architecture", "from_flax=True"],
  ["an index of pickles", { "pytorch_model.bin.index.json": "{}" }, "missing-file", "none of its"],
  ["only an archive", { "ember.zip": "PK" }, "missing-file", "ember.zip is an archive"],
  ["only a recipe", { "linear.yml": "x" }, "missing-file", "linear.yml is a recipe"],
  ["only data", { "rows.csv": "a,b" }, "missing-file", "rows.csv holds rows of data"],
  ["only side files", { "tokenizer.json": "{}" }, "missing-file", "weights did not come along"],
  ["only a pickle", { "pytorch_model.bin": "\u0000" }, "pickle", "pytorch_model.bin"],
  ["a pickle that is a pointer", { "pytorch_model.bin": POINTER }, "lfs-pointer", "git lfs pull"],
  ["only what training left", { "training_args.bin": "x" }, "missing-file", "no weights"],
  [
    "an index that is a pointer",
    { "model.safetensors.index.json": POINTER },
    "lfs-pointer",
    "index",
  ],
  ["an adapter without its config", { "adapter_model.safetensors": "x" }, "missing-file", "PEFT"],
])("a folder with %s says so", async (_, files, code, says) => {
  const error = await refusal(new Map(Object.entries(files).map(([path, it]) => [path, text(it)])));
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringContaining(says),
  });
});

test("an adapter's refusal names its kind and its base", async () => {
  const config = { peft_type: "LOHA", base_model_name_or_path: "acme/ember-7B" };
  const files = [
    ["adapter_config.json", text(JSON.stringify(config))],
    ["adapter_model.safetensors", text("x")],
  ] as const;
  const { message } = await refusal(new Map(files));
  expect(message).toContain('ember is an adapter with peft_type "LOHA"');
  expect(message).toContain('Merge it into its base, "acme/ember-7B", first');
});

test.each([
  [
    "a Git-LFS pointer",
    "version https://git-lfs.github.com/spec/v1\noid sha256:ab12\nsize 9976579217\n",
    "lfs-pointer",
    "git lfs pull",
  ],
  ["a zip of torch", "PK\u0003\u0004\u0000\u0000\b\b\u0000\u0000", "pickle", "save_file"],
  ["a GGUF file", "GGUF\u0003\u0000\u0000\u0000\u0001", "unsupported-architecture", "GGUF"],
  ["a saved error page", "<!DOCTYPE html><html><body>404", "bad-header", "web page"],
])(
  "a file that is called safetensors and is %s is told by its bytes",
  async (_, content, code, says) => {
    const error = await refusal(new Map([["m.safetensors", text(content)]]));
    expect(error.code).toBe(code);
    expect(error.message).toContain(says);
    expect(error.message).toContain("m.safetensors");
    if (code === "lfs-pointer") {
      expect(error.details).toEqual({
        file: "m.safetensors",
        oid: "sha256:ab12",
        byteLength: 9976579217,
      });
    }
  },
);

test("a pickle in its old form is recognised, and a hostile name stays inside its quotes", async () => {
  const bytes = new Uint8Array([0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9]);
  const old = await refusal(new Map([["old.safetensors", bytesInMemory(bytes)]]));
  expect(old.code).toBe("pickle");
  const error = await refusal(new Map([[`a';$(rm)".bin`, bytesInMemory(bytes)]]));
  expect(error.code).toBe("pickle");
  expect(error.details.python).toContain(
    "torch.load('a\\u0027\\u003b\\u0024\\u0028rm\\u0029\\u0022.bin'",
  );
});

test("an index of one numbering beside all shards of another says which to take", async () => {
  const tree = write(LLAMA, 40);
  const index = { weight_map: { "lm_head.weight": "model-00001-of-00030.safetensors" } };
  tree.set("model.safetensors.index.json", text(JSON.stringify(index)));
  const { code, message } = await refusal(tree);
  expect(code).toBe("missing-file");
  expect(message).toContain("All 2 shards of another numbering are there");
  tree.delete("model-00002-of-00002.safetensors");
  expect((await refusal(tree)).message).toContain("Download the rest");
});

test("an ONNX export opens without tensors and says so; a pickle beside it is told first", async () => {
  const config = text(JSON.stringify({ architectures: ["LlamaForCausalLM"] }));
  const graph = ["onnx/model.onnx", text("x")] as const;
  const checkpoint = await openCheckpoint(new Map([["config.json", config], graph]), "slate");
  expect([checkpoint.tensors.size, isOnnxExport(checkpoint)]).toEqual([0, true]);
  expect(checkpoint.notes).toContain("An ONNX export (onnx/model.onnx): to run, not to merge.");
  const several = new Map([["config.json", config], graph]);
  several.set("onnx/model_q4.onnx", text("x")).set("onnx/model_fp16.onnx", text("x"));
  expect((await openCheckpoint(several, "slate")).notes).toContain(
    "Of 3 graphs onnx/model.onnx runs, the most precise. Not run: onnx/model_q4.onnx, onnx/model_fp16.onnx.",
  );
  expect(await refusal(new Map([graph]))).toMatchObject({ code: "missing-file" });
  const pickle = ["pytorch_model.bin", text("x")] as const;
  const beside = new Map([["config.json", config], graph, pickle]);
  expect(await refusal(beside)).toMatchObject({ code: "pickle" });
});

test("a config that is a pointer or broken stops the opening, a tokenizer's pointer is a note", async () => {
  const broken = await refusal(write(LLAMA).set("config.json", text("{")));
  expect(broken).toMatchObject({ code: "bad-config", details: { line: 1 } });
  const pointer = await refusal(write(LLAMA).set("config.json", text(POINTER)));
  expect(pointer.code).toBe("lfs-pointer");
  const { notes } = await openCheckpoint(
    complete(write(LLAMA)).set("tokenizer.json", text(POINTER)),
    "ember",
  );
  expect(notes).toEqual([expect.stringContaining("tokenizer.json: run `git lfs pull`")]);
});

test("the notes name what is tied, copied, only described, missing and not read", async () => {
  const tree = write([
    f32("model.embed_tokens.weight", 4, 2),
    { name: "steps", dtype: "I64", shape: [1] },
    { name: "packed", dtype: "F4", shape: [2] },
  ]);
  tree.set("consolidated.safetensors", text("x")).set("onnx/model.onnx", text("x"));
  const { notes, config } = await openCheckpoint(tree, "ember");
  expect(config).toBeNull();
  for (const says of ["no config.json", "no tokenizer", "head is tied", "steps (I64)"]) {
    expect(notes.join("\n")).toContain(says);
  }
  expect(notes).toContain("Cannot be merged: packed (F4).");
  expect(notes).toContain("Not read: consolidated.safetensors, onnx/model.onnx.");
  expect(notes).toHaveLength(6);
});
