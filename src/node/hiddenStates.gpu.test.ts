import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openCheckpoint } from "../engine/checkpoint/open.ts";
import { useGpu } from "../engine/gpu/testGpu.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import { readHiddenStates } from "../engine/runtime/generate/hiddenStates.ts";
import { openFiles } from "./files.ts";

interface Golden {
  readonly ids: readonly number[];
  readonly last: readonly (readonly number[])[];
  readonly mean: readonly (readonly number[])[];
}

/** Made by transformers, in float32; see interop/hiddenStates.py. */
const { cases } = JSON.parse(readFileSync("goldens/nn/hidden.json", "utf8")) as {
  readonly cases: Readonly<Record<string, Golden>>;
};
const gpu = await useGpu();

function distance(got: readonly Float64Array[], want: readonly (readonly number[])[]): number {
  expect(got.map(({ length }) => length)).toEqual(want.map(({ length }) => length));
  let worst = 0;
  for (const [layer, state] of want.entries()) {
    for (const [i, value] of state.entries()) {
      const error = Math.abs(got[layer]![i]! - value);
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

test.each(
  Object.entries(cases).flatMap(([name, golden]) =>
    [
      { rows: 48, streamed: false },
      // 40 tokens in three passes, each layer loaded for each.
      { rows: 16, streamed: true },
    ].map((options) => ({ name, golden, options })),
  ),
)(
  "$name has transformers' hidden states, $options.rows tokens a pass",
  async ({ name, golden, options }) => {
    const { files, close } = await openFiles(`goldens/nn/models/${name}`);
    const model = await openDecoder(gpu, await openCheckpoint(files, name), {
      ...options,
      kernels: "cpu",
    });
    for (const of of ["last", "mean"] as const) {
      const states = await readHiddenStates(gpu, model, golden.ids, of);
      // Float32 sums in another order, of states of size 10 and below.
      expect(distance(states, golden[of])).toBeLessThanOrEqual(2e-5);
    }
    model.release();
    await close();
  },
);
