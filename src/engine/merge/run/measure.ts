import { EngineError } from "../../contract/index.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import type { Rule } from "../../gpu/tiles/tileSlot.ts";
import { cutTiles, type Tile } from "../../gpu/tiles/tiling.ts";
import type { Facts } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { type FactTable, selectionRule } from "./decide.ts";
import { type Missing, openMissing } from "./missing.ts";
import { selectLargest } from "./select.ts";
import { openTileSession, type TileSession } from "./session.ts";
import { readBytesPerElement, readTile } from "./tileInput.ts";

export interface MeasureOptions {
  readonly signal: AbortSignal;
  /** Rules beside the method's own, for captions in the map. They need a base. */
  readonly captions?: readonly string[];
  /** What is known already: it is not measured again. */
  readonly known?: FactTable;
  /** Shorter tiles than the budget allows; results do not depend on it. */
  readonly tileElements?: number;
  /** A rule is summed over a tensor. */
  onTensor?(rule: string, tensor: string, facts: readonly Facts[]): void | Promise<void>;
  progress?(doneBytes: number, label: string): void;
}

interface MeasureTile {
  readonly output: OutputTensor;
  readonly tile: Tile;
  readonly rules: readonly Rule[];
}

/**
 * Finds out what the method must know about every merged tensor: which elements are selected, then
 * block sums in float32 on the GPU, added up here in float64 in block order. After a lost device it
 * goes on with the first tensor that is not finished.
 */
export async function measure(
  plan: Plan,
  gpuProvider: GpuProvider,
  options: MeasureOptions,
): Promise<FactTable> {
  const { signal, captions, tileElements } = options;
  const table = new Map<string, Map<string, readonly Facts[]>>();
  for (const [rule, tensors] of options.known ?? []) table.set(rule, new Map(tensors));
  const findMissing = openMissing(plan, captions);
  let doneBytes = 0;
  let found = 0;
  let losses = 0;
  for (;;) {
    const missing = findMissing(table);
    if (missing.length === 0) return table;
    const before = found;
    try {
      const outputs = missing.map(({ output }) => output);
      const session = openTileSession(await gpuProvider.get(), outputs, tileElements);
      try {
        await select(session, missing);
        await sum(session, missing);
      } finally {
        session.release();
      }
    } catch (error) {
      const lost = error instanceof EngineError && error.code === "gpu-lost";
      if (!lost || (found === before && ++losses > 3)) throw error;
    }
  }

  async function learn(rule: string, tensor: string, facts: readonly Facts[]): Promise<void> {
    table.set(rule, (table.get(rule) ?? new Map()).set(tensor, facts));
    found++;
    await options.onTensor?.(rule, tensor, facts);
  }

  function advance(output: OutputTensor, elements: number): void {
    doneBytes += elements * readBytesPerElement(output);
    options.progress?.(doneBytes, output.name);
  }

  async function select(session: TileSession, missing: readonly Missing[]): Promise<void> {
    for (const { output, selection } of missing) {
      if (!selection) continue;
      const onElements = (count: number) => advance(output, count);
      const cuts = await selectLargest(session, output, selection, { signal, onElements });
      const facts = cuts.map(({ bits, before, kept }): Facts => [bits, before, kept, 0]);
      await learn(selectionRule(selection.rule), output.name, facts);
    }
  }

  async function sum(session: TileSession, missing: readonly Missing[]): Promise<void> {
    const results = mapOrdered(
      cutAll(missing, session.tileElements),
      session.slots.length,
      async (job, slot) => {
        signal.throwIfAborted();
        const partials: Float32Array[] = [];
        if (job.tile.count === 0) return { ...job, partials };
        const input = await readTile(job.output, job.tile);
        for (const rule of job.rules) partials.push(await session.slots[slot]!.reduce(input, rule));
        return { ...job, partials };
      },
    );
    let sums: number[][][] = [];
    for await (const { output, tile, rules, partials } of results) {
      if (tile.first === 0) sums = rules.map(() => output.models.map(() => [0, 0, 0, 0]));
      for (const [r, blocks] of partials.entries()) addBlocks(sums[r] as number[][], blocks);
      advance(output, tile.count);
      if (tile.first + tile.count < output.elementCount) continue;
      for (const [r, { rule }] of rules.entries()) {
        await learn(rule, output.name, sums[r] as unknown as readonly Facts[]);
      }
    }
  }
}

function* cutAll(
  missing: readonly Missing[],
  tileElements: number,
): Generator<MeasureTile, void, undefined> {
  for (const { output, rules } of missing) {
    if (rules.length === 0) continue;
    // A tensor without elements has one empty tile, so that it is finished like the others.
    if (output.elementCount === 0) yield { output, rules, tile: { first: 0, count: 0 } };
    for (const tile of cutTiles(output.elementCount, tileElements)) yield { output, rules, tile };
  }
}

/** Adds `[block][model][fact]` to `sums[model][fact]`, block by block. */
function addBlocks(sums: readonly number[][], blocks: Float32Array): void {
  const models = sums.length;
  for (let i = 0; i < blocks.length; i += 4 * models) {
    for (let m = 0; m < models; m++) {
      const facts = sums[m] as number[];
      for (let k = 0; k < 4; k++) facts[k]! += blocks[i + 4 * m + k]!;
    }
  }
}
