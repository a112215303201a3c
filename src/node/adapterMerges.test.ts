import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import {
  isAdapter,
  type LowRankModule,
  readAdapter,
} from "../engine/checkpoint/adapters/adapter.ts";
import {
  type Checkpoint,
  type CheckpointTensor,
  readTensor,
} from "../engine/checkpoint/checkpoint.ts";
import { readHeader } from "../engine/checkpoint/formats/safetensors/header.ts";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { applyAdapter } from "../engine/checkpoint/views/adapter.ts";
import { ADAPTER_METHODS } from "../engine/contract/index.ts";
import { invariant } from "../engine/core/invariant.ts";
import { toF64 } from "../engine/core/tensor/convert.ts";
import { planAdapterMerge } from "../engine/merge/adapters/adapterJob.ts";
import { openFiles } from "./files.ts";
import { readGivenModels } from "./givenModels.ts";

/*
 * interop/adapterMergeFixtures.py made these: merges by add_weighted_adapter of peft 0.21.2, and in Core
 * Space and KnOTS by the papers' formulas in float64. Another folder that it made can be named.
 */
const FOLDER = process.env.FUSESTUDIO_ADAPTER_MERGES ?? "goldens/adapter-merges";
const KINDS = "goldens/adapters";
const MERGED = "merged.safetensors";

interface Case {
  readonly method: string;
  readonly adapters: readonly string[];
  readonly weights: readonly number[];
  readonly density: number;
  readonly vote: "total" | "frequency";
}
const CASES: readonly Case[] = JSON.parse(readFileSync(`${FOLDER}/cases.json`, "utf8"));

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

async function open(path: string, without = ""): Promise<Checkpoint> {
  const { files, close } = await openFiles(path);
  closers.push(close);
  return openCheckpoint(new Map([...files].filter(([file]) => file !== without)), path);
}

/** The merged adapter, opened again from the bytes of its files. */
async function merge(
  adapters: readonly Checkpoint[],
  { method, weights, density, vote }: Omit<Case, "adapters">,
): Promise<Checkpoint> {
  const given = adapters.map((checkpoint, i) => ({
    id: String(i),
    name: checkpoint.name,
    checkpoint,
  }));
  const named = given.map(({ id }, i) => ({ model: id, weight: weights[i]! }));
  const settings = { method, density, vote, rank: null, seed: 0 };
  const { files } = await planAdapterMerge(readGivenModels(given), {
    adapters: named,
    ...settings,
  });
  return openCheckpoint(files, "merged");
}

const read = async (tensor: CheckpointTensor) =>
  toF64(await readTensor(tensor, 0, tensor.byteLength), tensor.dtype);

/** scale · B · A, row by row. */
async function changeOf({ a, b, rank, inputs, outputs, scale }: LowRankModule) {
  const [left, right] = [await read(b), await read(a)];
  const change = new Float64Array(outputs * inputs);
  for (let row = 0; row < outputs; row++) {
    for (let k = 0; k < rank; k++) {
      for (let i = 0; i < inputs; i++) {
        change[row * inputs + i]! += scale * left[row * rank + k]! * right[k * inputs + i]!;
      }
    }
  }
  return change;
}

const largest = (values: Iterable<number>) =>
  [...values].reduce((most, it) => Math.max(most, Math.abs(it)), 0);

describe.each(CASES.map((each, number) => [number, each] as const))("merge %i", (number, each) => {
  test(`${each.method} of ${each.adapters} is what the references make of them`, async () => {
    const adapters = await Promise.all(each.adapters.map((name) => open(`${FOLDER}/${name}`)));
    const merged = await merge(adapters, each);
    invariant(isAdapter(merged), "adapters merge to an adapter");
    const { files, close } = await openFiles(FOLDER);
    closers.push(close);
    const source = files.get(MERGED)!;
    const { tensors } = await readHeader(source, MERGED);
    const prefix = `${number}.`;
    const wanted = tensors.filter(({ name }) => name.startsWith(prefix));
    const { modules } = readAdapter(merged);
    expect(modules.map(({ module }) => module).toSorted()).toEqual(
      wanted.map(({ name }) => name.slice(prefix.length)).toSorted(),
    );
    for (const module of modules) {
      const theirs = wanted.find(({ name }) => name === prefix + module.module)!;
      const [ours, reference] = [
        await changeOf(module),
        await read({ ...theirs, file: "", source }),
      ];
      const apart = largest(ours.map((value, i) => value - reference[i]!));
      // Factors are stored in float32, here and by peft, which also computes in it: some steps of it at
      // the largest value for each of the terms that a value is the sum of.
      expect(apart / largest(reference)).toBeLessThanOrEqual(16 * 2 ** -23);
    }
  });
});

describe.each(readdirSync(KINDS).filter((name) => name !== "bases"))(
  "one adapter, %s, at weight 1",
  (name) => {
    const opening = (async () => {
      const adapter = await open(`${KINDS}/${name}`, MERGED);
      const { files, close } = await openFiles(`${KINDS}/${name}`);
      const { metadata } = await readHeader(files.get(MERGED)!, MERGED);
      await close();
      return { adapter, base: await open(`${KINDS}/bases/${metadata.get("base")}`) };
    })();

    test.each(ADAPTER_METHODS)("returns itself by $id", async ({ id: method, space }) => {
      const { adapter, base } = await opening;
      const merged = await merge([adapter], { method, weights: [1], density: 1, vote: "total" });
      if (space === "factors" || space === "cat") {
        expect([...merged.tensors.keys()].toSorted()).toEqual(
          [...adapter.tensors.keys()].toSorted(),
        );
        for (const [key, tensor] of adapter.tensors) {
          expect(await read(merged.tensors.get(key)!), key).toEqual(await read(tensor));
        }
      }
      const [one, other] = [applyAdapter(base, adapter), applyAdapter(base, merged)];
      expect([...other.tensors.keys()]).toEqual([...one.tensors.keys()]);
      for (const [key, tensor] of one.tensors) {
        if (tensor === base.tensors.get(key)) continue;
        const [mine, wanted] = [await read(other.tensors.get(key)!), await read(tensor)];
        // New factors round to float32 by themselves; where a sum falls near the middle of two bf16
        // values, the model may round to the other.
        const step = tensor.dtype === "BF16" ? 2 ** -7 : 2 ** -19;
        const apart = largest(mine.map((value, i) => value - wanted[i]!));
        expect(apart, key).toBeLessThanOrEqual(step * largest(wanted));
      }
    });
  },
);
