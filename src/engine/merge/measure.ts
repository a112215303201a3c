import { EngineError } from "../contract/index.ts";
import type { GpuSource } from "../gpu/device.ts";
import { mapOrdered } from "../stream/ordered.ts";
import type { Rule } from "../stream/tileSlot.ts";
import { cutTiles, type Tile } from "../stream/tiling.ts";
import type { FactTable } from "./decide.ts";
import type { Facts } from "./method.ts";
import type { OutputTensor, Plan } from "./plan.ts";
import { openTileSession } from "./session.ts";
import { readBytesPerElement, readTile } from "./tileInput.ts";

export interface MeasureOptions {
  readonly signal: AbortSignal;
  /** Rules beside the method's own, for captions in the map. They need a base. */
  readonly captions?: readonly string[];
  /** What is known already: it is not measured again. */
  readonly known?: FactTable;
  /** Shorter tiles than the budget allows; results do not depend on it. */
  readonly tileElements?: number;
  /** A tensor is done. */
  onTensor?(rule: string, tensor: string, facts: readonly Facts[]): void | Promise<void>;
  progress?(doneBytes: number, label: string): void;
}

/** The rules that must still be summed over a tensor. */
function missingRules(plan: Plan, output: OutputTensor, options: MeasureOptions): readonly Rule[] {
  const own = plan.method.reduce(plan.global);
  const element = plan.method.elementShares?.(output.resolved) ?? null;
  const captions = output.base ? (options.captions ?? []) : [];
  const rules: Rule[] = [
    ...(own === null ? [] : [{ rule: own, constants: [] }]),
    ...(element === null || options.captions === undefined ? [] : [element]),
    ...captions.map((rule) => ({ rule, constants: [] })),
  ];
  return rules.filter(({ rule }) => !options.known?.get(rule)?.has(output.name));
}

/** The merged tensors of which something is not known yet. */
export function unmeasured(plan: Plan, options: MeasureOptions): readonly OutputTensor[] {
  return plan.outputs.filter(
    (output) => output.action === "merge" && missingRules(plan, output, options).length > 0,
  );
}

interface MeasureTile {
  readonly output: OutputTensor;
  readonly tile: Tile;
  readonly rules: readonly Rule[];
}

/**
 * Reads every merged tensor once and sums what the method must know about it: block sums in float32
 * on the GPU, added up here in float64 in block order. After a lost device it goes on with the first
 * tensor that is not finished.
 */
export async function measure(
  plan: Plan,
  source: GpuSource,
  options: MeasureOptions,
): Promise<FactTable> {
  const table = new Map<string, Map<string, readonly Facts[]>>();
  for (const [rule, tensors] of options.known ?? []) table.set(rule, new Map(tensors));
  let doneBytes = 0;
  let losses = 0;
  for (;;) {
    const left = unmeasured(plan, { ...options, known: table });
    if (left.length === 0) return table;
    const before = left.length;
    try {
      await measureTensors(left);
    } catch (error) {
      const lost = error instanceof EngineError && error.code === "gpu-lost";
      const stuck = unmeasured(plan, { ...options, known: table }).length === before;
      if (!lost || (stuck && ++losses > 3)) throw error;
    }
  }

  async function measureTensors(outputs: readonly OutputTensor[]): Promise<void> {
    const gpu = await source.get();
    const session = openTileSession(gpu, outputs, options.tileElements);
    function* tiles(): Generator<MeasureTile, void, undefined> {
      for (const output of outputs) {
        const rules = missingRules(plan, output, { ...options, known: table });
        // A tensor without elements has one empty tile, so that it is finished like the others.
        if (output.elementCount === 0) yield { output, rules, tile: { first: 0, count: 0 } };
        for (const tile of cutTiles(output.elementCount, session.tileElements)) {
          yield { output, rules, tile };
        }
      }
    }
    try {
      const results = mapOrdered(tiles(), session.slots.length, async (job, slot) => {
        options.signal.throwIfAborted();
        if (job.tile.count === 0)
          return { ...job, partials: job.rules.map(() => new Float32Array(0)) };
        const input = await readTile(job.output, job.tile);
        const partials: Float32Array[] = [];
        for (const rule of job.rules) partials.push(await session.slots[slot]!.reduce(input, rule));
        return { ...job, partials };
      });
      let sums: number[][][] = [];
      for await (const { output, tile, rules, partials } of results) {
        if (tile.first === 0) {
          sums = rules.map(() => output.models.map(() => [0, 0, 0, 0]));
        }
        for (const [r, blocks] of partials.entries()) addBlocks(sums[r] as number[][], blocks);
        doneBytes += tile.count * readBytesPerElement(output);
        options.progress?.(doneBytes, output.name);
        if (tile.first + tile.count < output.elementCount) continue;
        for (const [r, { rule }] of rules.entries()) {
          const facts = sums[r] as unknown as readonly Facts[];
          const tensors = table.get(rule) ?? new Map<string, readonly Facts[]>();
          tensors.set(output.name, facts);
          table.set(rule, tensors);
          await options.onTensor?.(rule, output.name, facts);
        }
      }
    } finally {
      session.release();
    }
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
