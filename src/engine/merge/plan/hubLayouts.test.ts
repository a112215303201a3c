import { expect, test } from "vitest";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { parseConfig } from "../../checkpoint/config.ts";
import { planShards } from "../../checkpoint/formats/safetensors/shards.ts";
import { openCheckpoint } from "../../checkpoint/open.ts";
import { placeTensor } from "../../checkpoint/place.ts";
import { openDepths } from "../../checkpoint/tensorRoles/depth.ts";
import { roleOf } from "../../checkpoint/tensorRoles/role.ts";
import type { DType } from "../../contract/index.ts";
import { bytesInMemory, readAll } from "../../core/bytes.ts";
import { makeDocuments } from "../run/sideFiles.ts";
import { expand, HUB_LAYOUTS, type HubLayout } from "./testLayouts.ts";
import { plan } from "./testPlan.ts";

/** A folder of the layout's tensors, all zero, and its config.json, opened as any. */
function openLayout(
  { tensors, kept = {}, config }: HubLayout,
  name: string,
  path = "model.safetensors",
): Promise<Checkpoint> {
  const list = [
    ...Object.entries(tensors).flatMap(([pattern, shape]) =>
      expand(pattern).map((tensor) => ({ name: tensor, dtype: "F16" as DType, shape })),
    ),
    ...Object.entries(kept).flatMap(([pattern, [dtype, shape]]) =>
      expand(pattern).map((tensor) => ({ name: tensor, dtype, shape })),
    ),
  ];
  const [file] = planShards(list, { maxBytes: 1e9, metadata: {} }).files;
  const bytes = new Uint8Array(file!.byteLength);
  bytes.set(file!.header);
  const files = new Map([[path, bytesInMemory(bytes)]]);
  if (config) {
    const text = new TextEncoder().encode(JSON.stringify(config));
    files.set("config.json", bytesInMemory(text));
  }
  return openCheckpoint(files, name);
}

const openThree = (layout: HubLayout) =>
  Promise.all(["base", "a", "b"].map((name) => openLayout(layout, name)));

const layoutOf = (name: string) => HUB_LAYOUTS.find((layout) => layout.of.includes(name))!;

const GRADIENT = `merge_method: linear
models:
  - {model: a, parameters: {weight: [0, 1]}}
  - {model: b, parameters: {weight: 1}}
`;
const VARM = `merge_method: varm
base_model: base
models: [{model: a}, {model: b}]
parameters: {granularity: layer}
`;

for (const layout of HUB_LAYOUTS) {
  test(`${layout.of}: every tensor is merged, buffers and integers are kept`, async () => {
    const { card, outputs } = plan(GRADIENT, await openThree(layout));
    expect(card.findings.filter(({ severity }) => severity === "error")).toEqual([]);
    const merged = Object.keys(layout.tensors).flatMap(expand).sort();
    const kept = Object.keys(layout.kept ?? {})
      .flatMap(expand)
      .sort();
    const namesOf = (action: string) =>
      outputs
        .filter((output) => output.action === action)
        .map(({ name }) => name)
        .sort();
    expect(namesOf("merge")).toEqual(merged);
    expect(namesOf("copy")).toEqual(kept);
  });

  test(`${layout.of}: each stack has its own layers, and gradients run over each`, async () => {
    const models = await openThree(layout);
    const depthOf = openDepths(models[0]!);
    const { outputs } = plan(GRADIENT, models);
    for (const [list, layers] of Object.entries(layout.stacks)) {
      const own = outputs.filter(({ name }) => roleOf(name).list === list);
      expect(own.length, `${list} has tensors`).toBeGreaterThan(0);
      for (const { name, action, resolved } of own) {
        const { layer, layers: counted } = depthOf(name);
        expect({ name, counted }).toEqual({ name, counted: layers });
        if (action !== "merge") continue;
        const at = Math.min(1, (layer ?? 0) / (layers - 1));
        expect(resolved.models[0]?.weight, name).toBeCloseTo(at, 12);
      }
    }
    for (const { name, action, resolved } of outputs) {
      if (action !== "merge" || roleOf(name).list !== null) continue;
      expect(resolved.models[0]?.weight, name).toBe(0);
    }
  });

  test(`${layout.of}: VaRM decides layer by layer within each stack`, async () => {
    const { outputs } = plan(VARM, await openThree(layout));
    const merged = outputs.filter(({ action }) => action === "merge");
    for (const [list, layers] of Object.entries(layout.stacks)) {
      const own = merged.filter(({ name }) => roleOf(name).list === list);
      const units = new Set(own.map(({ unit }) => unit));
      const numbers = new Set(own.map(({ name }) => roleOf(name).layer));
      expect([...units].sort()).toEqual([...numbers].map((n) => `${list}.${n}`).sort());
      expect(units.size).toBeGreaterThanOrEqual(layers);
    }
  });
}

test.each(HUB_LAYOUTS.map((layout) => [layout.of, layout] as const))(
  "%s: every tensor has a cell of its own in the map",
  (_, { tensors }) => {
    const cells = new Map<string, string[]>();
    for (const name of Object.keys(tensors).flatMap(expand)) {
      const { layer, column } = placeTensor(name);
      const cell = `${layer} ${column}`;
      cells.set(cell, [...(cells.get(cell) ?? []), name]);
    }
    expect([...cells.values()].filter(({ length }) => length > 1)).toEqual([]);
  },
);

const documentsOf = async (layout: HubLayout, shardBytes: number) => {
  const planned = plan(GRADIENT, await openThree(layout), { shardBytes });
  const files = await makeDocuments(planned, { name: "merged", map: null });
  const config = files.get("config.json");
  const text = config && new TextDecoder().decode(await readAll(config, 2 ** 20));
  return { files, paths: planned.shards.files.map(({ path }) => path), text };
};

test("a model of diffusers is written under the names that diffusers looks for", async () => {
  const layout = layoutOf("FLUX.1-dev, transformer/");
  const whole = await documentsOf(layout, 1e9);
  expect(whole.paths).toEqual(["diffusion_pytorch_model.safetensors"]);
  // Its classes refuse fields that they do not know, such as a dtype.
  expect(JSON.parse(whole.text!)).toEqual(layout.config);
  const cut = await documentsOf(layout, 500);
  expect(cut.paths[0]).toMatch(/^diffusion_pytorch_model-00001-of-\d{5}\.safetensors$/);
  expect([...cut.files.keys()]).toContain("diffusion_pytorch_model.safetensors.index.json");
});

test("models of diffusers of two classes are not merged", async () => {
  const [base, a] = await openThree(layoutOf("FLUX.1-dev, transformer/"));
  const text = JSON.stringify({ ...base!.config!.fields, _class_name: "SD3Transformer2DModel" });
  const other = { ...a!, name: "b", config: parseConfig(text, "config.json") };
  const { card } = plan(GRADIENT, [base!, a!, other]);
  expect(card.findings).toContainEqual(
    expect.objectContaining({
      severity: "error",
      message: expect.stringContaining(
        `"b" is a SD3Transformer2DModel and "a" a FluxTransformer2DModel`,
      ),
    }),
  );
});

test("weights that a folder has twice, in another precision, are read once", async () => {
  const layout = layoutOf("unet/");
  const plain = await openLayout(layout, "a", "diffusion_pytorch_model.safetensors");
  const [[path, source] = ["", bytesInMemory(new Uint8Array())]] = plain.files;
  const files = new Map([...plain.files, ["diffusion_pytorch_model.fp16.safetensors", source]]);
  const { weightFiles, tensors } = await openCheckpoint(files, "a");
  expect({ weightFiles, size: tensors.size }).toEqual({
    weightFiles: [path],
    size: plain.tensors.size,
  });
});

test("a pipeline of diffusers is refused with the folders of its models", async () => {
  const paths = ["model_index.json", "unet/config.json", "unet/x.safetensors", "vae/y.safetensors"];
  const files = new Map(paths.map((path) => [path, bytesInMemory(new Uint8Array(9))]));
  await expect(openCheckpoint(files, "sdxl")).rejects.toMatchObject({
    code: "missing-file",
    message: expect.stringContaining(
      "sdxl is a pipeline of diffusers, made of several models: unet, vae",
    ),
  });
});

test.each([
  ["FLUX.1-dev, transformer/", /tokenizer|head|output matrix/],
  ["v1-5-pruned", /tokenizer|head|output matrix/],
  ["unet/", /tokenizer|head|output matrix/],
  ["all-MiniLM", /output matrix/],
  ["mamba-130m", /There is no output matrix/],
])("%s is not told that it lacks what it does not need", async (name, pattern) => {
  const { notes } = await openLayout(layoutOf(name), "a");
  expect(notes.filter((note) => pattern.test(note))).toEqual([]);
  const { card } = plan(GRADIENT, await openThree(layoutOf(name)));
  const said = card.findings.filter(({ message }) =>
    /cannot predict|transformers will/.test(message),
  );
  expect(said).toEqual([]);
});
