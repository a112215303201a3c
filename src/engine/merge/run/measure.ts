import type { GpuProvider } from "../../gpu/device.ts";
import { goOnAfterLosses } from "../../gpu/lostDevice.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import type { TileInput } from "../../gpu/tiles/tileInput.ts";
import { cutTiles, type Tile } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { withDerived } from "./derive.ts";
import { copyTable, type Measured, NOTHING_MEASURED, note } from "./measured.ts";
import { type Missing, openMissing } from "./missing.ts";
import { decideParts } from "./parts.ts";
import { partShares, reductionOf, type TensorRule, wholeLayoutOf } from "./rules.ts";
import { selectLargest } from "./select.ts";
import { openTileSession, type TileSession } from "./session.ts";
import { type Partials, Sums, sumTile } from "./sum.ts";
import { readTile, storedBytesPerElement } from "./tileInput.ts";

export interface MeasureOptions {
  readonly signal: AbortSignal;
  /** Reduce rules for the map's summary, beside the method's own. They need a base. */
  readonly captions?: readonly string[];
  /** Earlier measurements, which are not repeated. */
  readonly known?: Measured;
  /** Tile length in elements, below what the budget allows; results do not depend on it. */
  readonly tileElements?: number;
  /** Called after each tensor with all that is measured by then. */
  onTensor?(known: Measured): void | Promise<void>;
  progress?(doneBytes: number, label: string): void;
}

interface MeasureTile {
  readonly output: OutputTensor;
  readonly tile: Tile;
  readonly rules: readonly TensorRule[];
}

/**
 * Measures the merged tensors of a plan: selections, then block sums in float32 on the GPU, added
 * up in float64 in block order. After a lost device it continues with the first unfinished tensor.
 */
export async function measure(
  plan: Plan,
  gpuProvider: GpuProvider,
  options: MeasureOptions,
): Promise<Measured> {
  const { signal, captions, tileElements, known = NOTHING_MEASURED } = options;
  const table = { facts: copyTable(known.facts), cuts: copyTable(known.cuts) };
  const findMissing = openMissing(plan, captions);
  let doneBytes = 0;
  let found = 0;
  return goOnAfterLosses(
    async () => {
      for (;;) {
        const missing = findMissing(table);
        if (missing.length === 0) return table;
        await findOnce(missing);
      }
    },
    () => found,
  );

  async function findOnce(missing: readonly Missing[]): Promise<void> {
    const session = openTileSession(await gpuProvider.get(), plan, missing, tileElements);
    try {
      await select(session, missing);
      await sum(session, missing);
      await sumParts(session, missing);
    } finally {
      session.release();
    }
  }

  async function learned(): Promise<void> {
    found++;
    await options.onTensor?.(table);
  }

  function advance(output: OutputTensor, elements: number): void {
    doneBytes += elements * storedBytesPerElement(output);
    options.progress?.(doneBytes, output.name);
  }

  async function select(session: TileSession, missing: readonly Missing[]): Promise<void> {
    for (const { output, selection } of missing) {
      if (!selection) continue;
      const onElements = (count: number) => advance(output, count);
      const cuts = await selectLargest(plan, session, output, selection, {
        signal,
        onElements,
      });
      note(table.cuts, selection.rule, output.name, cuts);
      await learned();
    }
  }

  async function sum(session: TileSession, missing: readonly Missing[]): Promise<void> {
    const results = mapOrdered(
      cutAll(plan, missing, session.tileElements),
      session.slots.length,
      async (job, slot) => {
        signal.throwIfAborted();
        if (job.tile.count === 0) return { ...job, summed: [] };
        const read = await readTile(job.output, job.tile, wholeLayoutOf(plan, job.output));
        const tileSlot = session.slots[slot]!;
        const own = job.rules.some(({ seesDerived }) => seesDerived)
          ? await withDerived(plan, job.output, read, tileSlot)
          : read;
        const summed: { readonly input: TileInput; readonly partials: Partials }[] = [];
        for (const rule of job.rules) {
          const input = rule.seesDerived ? own : read;
          summed.push({ input, partials: await sumTile(tileSlot, input, rule) });
        }
        return { ...job, summed };
      },
    );
    let sums: Sums[] = [];
    for await (const { output, tile, rules, summed } of results) {
      const whole = wholeLayoutOf(plan, output);
      if (tile.first === 0) sums = rules.map(({ rows }) => new Sums(whole, rows));
      for (const [r, { input, partials }] of summed.entries()) sums[r]!.add(input, partials);
      advance(output, tile.count);
      if (tile.first + tile.count < output.elementCount) continue;
      for (const [r, { rule }] of rules.entries()) {
        note(table.facts, rule, output.name, sums[r]!.factsOf(0));
        await learned();
      }
    }
  }

  async function sumParts(session: TileSession, missing: readonly Missing[]): Promise<void> {
    for (const { output, parts } of missing) {
      if (!parts) continue;
      const onElements = (count: number) => advance(output, count);
      const wanted = { signal, tileElements: session.tileElements, onElements };
      const { shares } = await decideParts(plan, output, session.slots, wanted);
      note(table.facts, partShares(reductionOf(plan, output)!), output.name, shares);
      await learned();
    }
  }
}

function* cutAll(
  plan: Plan,
  missing: readonly Missing[],
  tileElements: number,
): Generator<MeasureTile, void, undefined> {
  for (const { output, rules } of missing) {
    if (rules.length === 0) continue;
    // A tensor without elements gets one empty tile, so that it is finished like the others.
    if (output.elementCount === 0) yield { output, rules, tile: { first: 0, count: 0 } };
    const layout = wholeLayoutOf(plan, output);
    for (const tile of cutTiles(layout, tileElements)) yield { output, rules, tile };
  }
}
