import { resolve } from "node:path";
import { escapeUnseen } from "../engine/contract/index.ts";
import { GpuProvider } from "../engine/gpu/device.ts";
import { measureWeightMap } from "../engine/merge/measureJob.ts";
import { factsInMemory } from "../engine/merge/run/factStore.ts";
import { needsMeasuring } from "../engine/merge/run/measure.ts";
import { openGpuProvider } from "../node/gpuProvider.ts";
import { closing } from "./closing.ts";
import { type Command, columnWidth } from "./command.ts";
import { planRecipe } from "./recipeFile.ts";

type Shares = Readonly<Record<string, number>>;

function formatTable(models: readonly string[], tensors: ReadonlyMap<string, Shares>): string {
  const shown = [...tensors].map(([name, shares]) => [escapeUnseen(name), shares] as const);
  const width = columnWidth(
    shown.map(([name]) => name),
    "tensor",
  );
  const columns = models.map((model) => Math.max(8, model.length));
  const row = (name: string, cells: readonly string[]) =>
    [name.padEnd(width), ...cells.map((cell, i) => cell.padStart(columns[i]!))].join("  ");
  const lines = shown.map(([name, shares]) =>
    row(
      name,
      models.map((model) => shares[model]!.toFixed(4)),
    ),
  );
  return [row("tensor", models), ...lines].join("\n");
}

/** `studio weights`: the shares per tensor, without merging. */
export const weights: Command = {
  positionals: ["RECIPE"],
  summary: "Each model's share of each tensor. Needs a GPU where the method measures tensors.",
  options: { adapter: { value: "NAME", help: "Part of the GPU's name." } },
  run: ({ positionals: [path = ""], options, signal, say, progress }) =>
    closing(async (keep) => {
      const { planned, recipe, models } = keep(
        await planRecipe(resolve(path), { shardBytes: 5e9, say }),
      );
      const { plan } = planned;
      // No captions beside the shares: they would cost a pass over tensors that need none.
      const captions: readonly string[] = [];
      const needsGpu = needsMeasuring(plan, captions);
      const gpuProvider = needsGpu
        ? await openGpuProvider(options.adapter)
        : new GpuProvider(undefined);
      const map = await measureWeightMap(
        { library: models, facts: factsInMemory(), gpuProvider, captions },
        recipe,
        { signal, progress },
      );
      const tensors = new Map<string, Shares>();
      const spreads = new Map<string, Shares>();
      const byModel = (values: readonly number[]): Shares =>
        Object.fromEntries(map.models.map((model, m) => [model, values[m]!]));
      for (const { tensor, shares, spread } of map.cells) {
        if (shares) tensors.set(tensor, byModel(shares));
        if (spread) spreads.set(tensor, byModel(spread));
      }
      const copied = plan.outputs.filter(({ action }) => action === "copy").map(({ name }) => name);
      return {
        json: {
          method: plan.method.id,
          models: map.models,
          tensors: Object.fromEntries(tensors),
          ...(spreads.size > 0 ? { spread: Object.fromEntries(spreads) } : {}),
          copied,
        },
        text: [formatTable(map.models, tensors), ...copied.map((name) => `${name}: copied`)].join(
          "\n",
        ),
      };
    }),
};
