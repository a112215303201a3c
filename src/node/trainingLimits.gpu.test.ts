import { describe, expect, test } from "vitest";
import { acquireGpu } from "../engine/gpu/device.ts";
import { useGpu } from "../engine/gpu/testGpu.ts";
import { LORA_MODULES } from "../engine/train/backward/target.ts";
import { batchOf, LORA, step, trained } from "./trainTestParts.ts";

const gpu = await useGpu();

describe("memory", () => {
  test.each([
    ["public/samples/ember-base", { ...LORA, modules: LORA_MODULES, dropout: 0.1 }],
    ["goldens/nn/models/gpt2-odd", { kind: "full" }],
  ] as const)("of %s with %o peaks within a tenth of the plan", async (folder, target) => {
    const own = await acquireGpu(navigator.gpu);
    await trained(
      own,
      target,
      async (model) => {
        await model.accumulate(batchOf(), step);
        expect(Math.abs(own.pool.peakBytes / model.plan.totalBytes - 1)).toBeLessThanOrEqual(0.1);
      },
      { folder },
    );
    expect(own.pool.usedBytes).toBe(0);
    own.destroy();
  });

  test.each([
    ["public/samples/ember-base", LORA],
    ["public/samples/ember-base", { kind: "full" }],
    ["public/samples/slate-source", LORA],
    ["goldens/nn/models/gemma2", { ...LORA, modules: LORA_MODULES }],
    ["goldens/nn/models/phi3", { ...LORA, modules: ["gate", "head"], dropout: 0.5 }],
    ["goldens/nn/models/qwen3", { kind: "full" }],
  ] as const)("of %s with %o is taken as planned", async (folder, target) => {
    const before = gpu.pool.usedBytes;
    await trained(
      gpu,
      target,
      async (model) => {
        const taken = gpu.pool.usedBytes - before;
        expect(Math.abs(taken / model.plan.totalBytes - 1)).toBeLessThanOrEqual(0.01);
      },
      { folder },
    );
    expect(gpu.pool.usedBytes).toBe(before);
  });

  test("that the budget lacks is told before anything is loaded", async () => {
    const small = await acquireGpu(navigator.gpu, { budgetBytes: 200_000 });
    await expect(trained(small, LORA, async () => {})).rejects.toMatchObject({
      code: "gpu-memory",
      message: expect.stringContaining("shorter batches"),
    });
    expect(small.pool.peakBytes).toBe(0);
    small.destroy();
  });
});

describe("what cannot be trained is refused", () => {
  test.each([
    ["no module", { modules: [] }],
    ["an unknown one", { modules: ["gate_proj" as "gate"] }],
    ["a rank of 0", { rank: 0 }],
    ["an alpha of 0", { alpha: 0 }],
    ["a dropout of 1", { dropout: 1 }],
  ] as const)("%s", async (_, change) => {
    const opened = trained(gpu, { ...LORA, ...change }, async () => {});
    await expect(opened).rejects.toMatchObject({ code: "usage" });
  });

  test("a batch that is too long, and one whose run is called off", async () => {
    await trained(gpu, LORA, async (model) => {
      const long = batchOf({
        ids: new Uint32Array(25),
        labels: new Uint32Array(25),
        weights: new Float32Array(25),
      });
      await expect(model.accumulate(long, step)).rejects.toMatchObject({ code: "usage" });
      const signal = AbortSignal.abort();
      await expect(model.accumulate(batchOf(), { ...step, signal })).rejects.toThrow(/abort/i);
      // It can still be used.
      model.zeroGradients();
      expect((await model.accumulate(batchOf(), step)).tokens).toBe(20);
    });
  });
});
