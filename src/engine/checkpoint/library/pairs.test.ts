import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import type { ModelId } from "../../contract/index.ts";
import { bytesInMemory, type FileTree } from "../../core/bytes.ts";
import { copyFile } from "../copy.ts";
import { planShards, type TensorToWrite } from "../formats/safetensors/shards.ts";
import type { Library } from "./library.ts";
import { findLacking, withPairs } from "./pairs.ts";
import { openTestLibrary } from "./testFolders.ts";

const Q = "model.layers.0.self_attn.q_proj";
const text = (content: string) => bytesInMemory(new TextEncoder().encode(content));
const tensor = (name: string, shape: readonly number[]): TensorToWrite => ({
  name,
  dtype: "F32",
  shape,
});

function weights(tensors: readonly TensorToWrite[]) {
  const [file] = planShards(tensors, { maxBytes: 1e6, metadata: {} }).files;
  const bytes = new Uint8Array(file!.byteLength).fill(60);
  bytes.set(file!.header);
  return bytesInMemory(bytes);
}

const model = (width: number): FileTree =>
  new Map([["model.safetensors", weights([tensor(`${Q}.weight`, [4, width])])]]);

const adapter = (base: string | null): FileTree =>
  new Map([
    ["adapter_config.json", text(JSON.stringify({ r: 2, base_model_name_or_path: base }))],
    [
      "adapter_model.safetensors",
      weights([
        tensor(`base_model.model.${Q}.lora_A.weight`, [2, 6]),
        tensor(`base_model.model.${Q}.lora_B.weight`, [4, 2]),
      ]),
    ],
  ]);

async function store(library: Library, name: string, files: FileTree): Promise<ModelId> {
  const start = { name, origin: "import", byteLength: 0, fingerprint: null, facts: null } as const;
  const { id, writer } = await library.begin(start);
  for (const [path, source] of files) {
    const sink = await writer.open(path, source.byteLength);
    await copyFile(source, sink, { signal: new AbortController().signal, onBytes: () => {} });
  }
  await writer.seal();
  return id;
}

async function stock(models: Readonly<Record<string, FileTree>>) {
  const library = withPairs((await openTestLibrary()).library);
  const ids: Record<string, ModelId> = {};
  for (const [name, files] of Object.entries(models)) ids[name] = await store(library, name, files);
  return { library, ids };
}

const pairsIn = async (library: Library) =>
  (await library.list()).filter(({ pair }) => pair).map(({ name }) => name);

test("an adapter stands behind every model that it fits, and behind no other", async () => {
  const { library } = await stock({
    ember: model(6),
    tall: model(8),
    tale: model(6),
    lora: adapter(null),
  });
  expect((await pairsIn(library)).toSorted()).toEqual(["ember+lora", "tale+lora"]);
});

test("where its own base is there, an adapter stands behind that alone", async () => {
  const { library } = await stock({ Ember: model(6), tale: model(6), lora: adapter("acme/ember") });
  expect(await pairsIn(library)).toEqual(["Ember+lora"]);
});

test("a pair opens by its name and its id, any other pair by its name", async () => {
  const { library, ids } = await stock({ ember: model(6), tale: model(6), lora: adapter("ember") });
  const card = await library.findByName("tale+lora");
  expect(card).toMatchObject({ id: `${ids.tale}+${ids.lora}`, state: "complete", parameters: 24 });
  const opened = await library.open(card!.id);
  expect(opened.name).toBe("tale+lora");
  expect(await library.open(card!.id)).toBe(opened);
  expect(opened.tensors.get(`${Q}.weight`)?.source).not.toBe(
    (await library.open(ids.tale!)).tensors.get(`${Q}.weight`)?.source,
  );
  expect(await library.card(card!.id)).toEqual(card);
});

test("two adapters apply one after the other", async () => {
  const { library } = await stock({ ember: model(6), a: adapter(null), b: adapter(null) });
  const card = await library.findByName("ember+a+b");
  expect((await library.open(card!.id)).name).toBe("ember+a+b");
});

test("a model whose own name has a plus goes first", async () => {
  const { library, ids } = await stock({
    ember: model(6),
    lora: adapter(null),
    "ember+lora": model(6),
  });
  expect((await library.findByName("ember+lora"))?.id).toBe(ids["ember+lora"]);
});

test("what a pair lacks is named, and what is no adapter says so", async () => {
  const { library } = await stock({ ember: model(6), tale: model(6), lora: adapter(null) });
  const find = (name: string) => library.findByName(name);
  expect(await findLacking("ember+spice", find)).toBe("spice");
  expect(await findLacking("spice+lora", find)).toBe("spice");
  expect(await findLacking("salt+spice", find)).toBe("salt+spice");
  expect(await library.findByName("salt+lora")).toBeUndefined();
  const wrong = await library.findByName("ember+tale");
  await expect(library.open(wrong!.id)).rejects.toMatchObject({ code: "unsupported-architecture" });
});
