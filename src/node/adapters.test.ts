import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type CheckpointTensor, readTensor } from "../engine/checkpoint/checkpoint.ts";
import { readHeader } from "../engine/checkpoint/formats/safetensors/header.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { applyAdapter } from "../engine/checkpoint/views/adapter.ts";
import type { DType } from "../engine/contract/index.ts";
import type { FileTree } from "../engine/core/bytes.ts";
import { toF64 } from "../engine/core/tensor/convert.ts";
import { openFiles } from "./files.ts";

/*
 * interop/adapterFixtures.py made these with peft 0.21.2: adapters, and what merge_and_unload makes of
 * them and their bases. Another folder that it made can be named, of other sizes, seeds and dtypes.
 */
const FOLDER = process.env.FUSESTUDIO_ADAPTERS ?? "goldens/adapters";
const CASES = readdirSync(FOLDER).filter((name) => name !== "bases");
const MERGED = "merged.safetensors";

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

async function filesOf(path: string): Promise<FileTree> {
  const { files, close } = await openFiles(`${FOLDER}/${path}`);
  closers.push(close);
  return files;
}

async function openCase(name: string) {
  const files = await filesOf(name);
  const source = files.get(MERGED)!;
  const { tensors, metadata } = await readHeader(source, MERGED);
  const wanted = new Map(tensors.map((it) => [it.name, { ...it, file: MERGED, source }]));
  const base = await openCheckpoint(await filesOf(`bases/${metadata.get("base")}`), "base");
  const own = new Map([...files].filter(([path]) => path !== MERGED));
  const adapter = await openCheckpoint(own, basename(name));
  return { base, wanted, changed: applyAdapter(base, adapter) };
}

const read = async (tensor: CheckpointTensor) =>
  toF64(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);

const MANTISSA: Partial<Record<DType, number>> = { F32: 23, F16: 10, BF16: 7 };

/** One step of a dtype at the size of a value. */
const stepOf = (dtype: DType, size: number) =>
  2 ** (Math.floor(Math.log2(Math.max(size, 1e-30))) - MANTISSA[dtype]!);

/** How many values differ, after a bound was held for each. */
async function compare(ours: CheckpointTensor, theirs: CheckpointTensor): Promise<number> {
  expect([ours.dtype, ours.shape], theirs.name).toEqual([theirs.dtype, theirs.shape]);
  const [mine, wanted] = [await read(ours), await read(theirs)];
  // peft sums in float32 what is float64 here: the rank's terms, and DoRA's norms, are some steps of
  // float32 off at the tensor's largest value. Then both round to the tensor's dtype once.
  const left = 16 * stepOf("F32", Math.max(...wanted.map(Math.abs)));
  let differing = 0;
  for (const [i, value] of wanted.entries()) {
    const apart = Math.abs(mine[i]! - value);
    const size = Math.max(Math.abs(value), Math.abs(mine[i]!));
    const step = theirs.dtype === "F32" ? 0 : stepOf(theirs.dtype, size);
    if (apart > step + left) expect.fail(`${theirs.name}[${i}] is ${mine[i]}, not ${value}`);
    if (apart > left) differing += 1;
  }
  return differing;
}

test.each(CASES)("%s: the view has the tensors of merge_and_unload", async (name) => {
  const { base, wanted, changed } = await openCase(name);
  let [differing, count] = [0, 0];
  for (const [tensor, theirs] of wanted) {
    differing += await compare(changed.tensors.get(tensor)!, theirs);
    count += theirs.elementCount;
  }
  // Two sums 1e-7 apart straddle a rounding boundary of bf16, 4e-3 apart, about once in 40,000.
  expect(differing).toBeLessThanOrEqual(1 + count / 5000);
  for (const [tensor, source] of base.tensors) {
    if (wanted.has(tensor)) continue;
    expect(await read(changed.tensors.get(tensor)!), tensor).toEqual(await read(source));
  }
  const added = [...changed.tensors.keys()].filter((tensor) => !base.tensors.has(tensor));
  expect(added).toEqual([...wanted.keys()].filter((tensor) => !base.tensors.has(tensor)));
});

test.each(CASES)("%s: any range of bytes is that of the whole tensor", async (name) => {
  const { wanted, changed } = await openCase(name);
  for (const tensor of wanted.keys()) {
    const view = changed.tensors.get(tensor)!;
    const whole = await readTensor(view, 0, view.byteLength);
    for (const [start, length] of [
      [0, 1],
      [1, 2],
      [3, 40],
      [view.byteLength - 5, 5],
    ] as const) {
      const end = Math.min(start + length, view.byteLength);
      expect(await readTensor(view, start, end - start)).toEqual(whole.slice(start, end));
    }
  }
});

test("a head that stops being tied is stated in the config, and one that stays tied is not", async () => {
  const tied = async (name: string) => (await openCase(name)).changed.config?.tied;
  expect(await tied("tied-lora")).toBe(false);
  expect(await tied("tied-saved")).toBe(false);
  expect(await tied("tied-tokens")).toBe(true);
});
