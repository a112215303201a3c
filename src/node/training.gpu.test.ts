import { describe, expect, test } from "vitest";
import { useGpu } from "../engine/gpu/testGpu.ts";
import { openDecoder } from "../engine/runtime/decoder/openDecoder.ts";
import { readCrossEntropy, readRows } from "../engine/runtime/generate/score.ts";
import { LORA_MODULES, type LoraTarget } from "../engine/train/backward/target.ts";
import type { TrainableModel } from "../engine/train/backward/trainable.ts";
import { batchOf, IDS, LLAMA, LORA, step, trained, withCheckpoint } from "./trainTestParts.ts";

const gpu = await useGpu();

const read = (buffer: GPUBuffer, count: number) =>
  readRows(gpu, { buffer, first: 0, rows: 1, rowStride: count }, count);
const gradientsOf = async ({ parameters }: TrainableModel) => {
  const found: number[] = [];
  for (const { gradient, count } of parameters) found.push(...(await read(gradient, count)));
  return found;
};

describe("a fresh LoRA", () => {
  test.each([LORA, { ...LORA, modules: LORA_MODULES }])(
    "changes nothing: its losses are the checkpoint's own",
    async (target) => {
      const decoder = await withCheckpoint(LLAMA, (checkpoint) => openDecoder(gpu, checkpoint));
      const nats = await readCrossEntropy(gpu, decoder, IDS);
      decoder.release();
      const { clm, tokens, fusedTokens } = await trained(gpu, target, (model) =>
        model.evaluate(batchOf()),
      );
      const want = nats.reduce((sum, value) => sum + value, 0);
      expect(Math.abs(clm / want - 1)).toBeLessThanOrEqual(1e-6);
      expect([tokens, fusedTokens]).toEqual([20, 0]);
    },
  );

  test("starts as PEFT's: A uniform within ±1/√inputs, B zero; the same for the same seed", async () => {
    const values = (seed: number) =>
      trained(gpu, { ...LORA, seed }, async ({ parameters }) => {
        const found = new Map<string, Float32Array>();
        for (const { name, value, count } of parameters) found.set(name, await read(value, count));
        return found;
      });
    const first = await values(5);
    const all = [...first].flatMap(([name, found]) => (name.includes("lora_A") ? [...found] : []));
    expect(all.length).toBe(4 * 2 * 36);
    expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(1 / 6);
    // A uniform variable's variance is bound² / 3; of 288 draws, within three standard deviations.
    const variance = all.reduce((sum, v) => sum + v * v, 0) / all.length;
    expect(Math.abs(variance * 108 - 1)).toBeLessThanOrEqual(3 * Math.sqrt(0.8 / all.length));
    for (const [name, found] of first) {
      if (name.includes("lora_B")) expect(found.every((v) => v === 0)).toBe(true);
    }
    expect(await values(5)).toEqual(first);
    expect(await values(6)).not.toEqual(first);
  });
});

describe("gradients", () => {
  test("are the same bits every time, and add up until they are zeroed", async () => {
    await trained(gpu, { ...LORA, modules: ["q", "embeddings", "head", "down"] }, async (model) => {
      await model.accumulate(batchOf(), step);
      const once = await gradientsOf(model);
      await model.accumulate(batchOf(), step);
      const twice = await gradientsOf(model);
      expect(twice).toEqual(once.map((value) => Math.fround(2 * value)));
      model.zeroGradients();
      await model.accumulate(batchOf(), step);
      expect(await gradientsOf(model)).toEqual(once);
    });
  });

  test("of documents packed together are the sum of theirs alone", async () => {
    await trained(gpu, { kind: "full" }, async (model) => {
      const packed = batchOf({ documents: [0, 7] });
      await model.accumulate(packed, step);
      const together = await gradientsOf(model);
      model.zeroGradients();
      for (const [from, to] of [
        [0, 7],
        [7, 20],
      ] as const) {
        const alone = batchOf({
          ids: packed.ids.slice(from, to),
          labels: packed.labels.slice(from, to),
          weights: packed.weights.slice(from, to),
        });
        await model.accumulate(alone, step);
      }
      const apart = await gradientsOf(model);
      const largest = Math.max(...apart.map(Math.abs));
      const error = Math.max(...apart.map((value, i) => Math.abs(value - together[i]!)));
      expect(error / largest).toBeLessThanOrEqual(1e-6); // sums in another order
    });
  });

  test("are zero, and so are the losses, where nothing counts", async () => {
    await trained(gpu, LORA, async (model) => {
      const nothing = batchOf({ weights: new Float32Array(20) });
      const losses = await model.accumulate(nothing, step);
      expect(losses).toEqual({ clm: 0, fusion: 0, entropy: 0, tokens: 0, fusedTokens: 0 });
      expect((await gradientsOf(model)).every((value) => value === 0)).toBe(true);
    });
  });

  test("do not come from an evaluation", async () => {
    await trained(gpu, LORA, async (model) => {
      await model.evaluate(batchOf());
      expect((await gradientsOf(model)).every((value) => value === 0)).toBe(true);
    });
  });

  test("follow what was dropped: the loss moves along them as they say", async () => {
    const target: LoraTarget = { ...LORA, modules: ["q", "o", "up", "down", "head"], dropout: 0.4 };
    await trained(gpu, target, async (model) => {
      const { device } = gpu;
      const values: Float32Array<ArrayBuffer>[] = [];
      for (const [k, { value, count }] of model.parameters.entries()) {
        values.push(Float32Array.from({ length: count }, (_, i) => 0.2 * Math.sin(1.3 * i + k)));
        device.queue.writeBuffer(value, 0, values[k]!);
      }
      const lose = async (run: number) =>
        (await model.accumulate(batchOf(), { scale: 1, step: run })).clm;
      const [loss, again, other] = [await lose(3), await lose(3), await lose(4)];
      expect(again).toBe(loss);
      expect(other).not.toBe(loss);
      model.zeroGradients();
      await lose(3);
      const gradients: Float32Array[] = [];
      for (const { gradient, count } of model.parameters)
        gradients.push(await read(gradient, count));
      const square = gradients.flatMap((g) => [...g]).reduce((sum, g) => sum + g * g, 0);
      const moved = async (by: number) => {
        for (const [k, { value }] of model.parameters.entries()) {
          device.queue.writeBuffer(
            value,
            0,
            values[k]!.map((v, i) => v + (by * gradients[k]![i]!) / square),
          );
        }
        return lose(3);
      };
      // A loss of 80 in float32 is good to 1e-5; a move of ±0.2 nats leaves a part in a thousand.
      const slope = ((await moved(0.2)) - (await moved(-0.2))) / 0.4;
      expect(Math.abs(slope - 1)).toBeLessThanOrEqual(3e-3);
    });
  });
});

test("logits that do not fit at once are made some rows at a time", async () => {
  const target: LoraTarget = { ...LORA, modules: ["v", "head"], dropout: 0.2 };
  const weights = Float32Array.from({ length: 20 }, (_, t) => (t % 5 === 0 ? 0 : 1));
  const run = (limits: { readonly logitBytes?: number }) =>
    trained(
      gpu,
      target,
      async (model) => {
        const { clm } = await model.accumulate(batchOf({ weights }), step);
        return [clm, await gradientsOf(model)] as const;
      },
      limits,
    );
  const [loss, whole] = await run({});
  const [sameLoss, cut] = await run({ logitBytes: 4 * 61 * 3 }); // sixteen rows, three at a time
  expect(sameLoss).toBe(loss);
  const largest = Math.max(...whole.map(Math.abs));
  const error = Math.max(...whole.map((value, i) => Math.abs(value - cut[i]!)));
  expect(error / largest).toBeLessThanOrEqual(1e-6); // the head's sums in another order
});

test("a row's tail is what the model gives to all tokens outside of the row", async () => {
  const starts = Uint32Array.from({ length: 21 }, (_, t) => Math.min(t, 6));
  const rowsOf = (q: number) => ({
    starts,
    ids: Uint32Array.from([4, 9, 33, 4, 60, 1]),
    probabilities: new Float32Array(6).fill(q),
  });
  const at = (t: number) => {
    const weights = new Float32Array(20);
    weights[t] = 1;
    return { weights, lambda: 0 };
  };
  await trained(gpu, LORA, async (model) => {
    const tails = new Float32Array(20).fill(0.6, 0, 6);
    for (const t of [0, 5]) {
      const { fusion } = await model.evaluate(batchOf({ ...at(t), fused: rowsOf(1) }));
      const both = await model.evaluate(batchOf({ ...at(t), fused: { ...rowsOf(0.4), tails } }));
      const want = 0.4 * fusion - 0.6 * Math.log1p(-Math.exp(-fusion));
      expect(Math.abs(both.fusion / want - 1)).toBeLessThanOrEqual(2e-6);
      expect(both.entropy).toBeCloseTo(-0.4 * Math.log(0.4) - 0.6 * Math.log(0.6), 6);
    }
  });
});
