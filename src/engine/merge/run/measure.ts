import type { GpuProvider } from "../../gpu/device.ts";
import { goOnAfterLosses } from "../../gpu/lostDevice.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import { workToMeasure } from "../plan/estimate.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { groupUnits } from "./decide.ts";
import { copyTable, type Measured, NOTHING_MEASURED, note } from "./measured.ts";
import { type Missing, openMissing } from "./missing.ts";
import { decideParts } from "./parts.ts";
import { partShares, reductionOf, type TensorRule } from "./rules.ts";
import { selectLargest } from "./select.ts";
import { type TileLimits, TileSession } from "./session.ts";
import { Sums, sumTile } from "./sum.ts";
import type { PassOptions, TensorTiles } from "./tensorTiles.ts";
import { storedBytesPerElement } from "./tileInput.ts";

export interface MeasureOptions extends TileLimits {
  readonly signal: AbortSignal;
  /** Reduce rules for the map's summary, beside the method's own. They need a base. */
  readonly captions?: readonly string[];
  /** Earlier measurements, which are not repeated. */
  readonly known?: Measured;
  /** Called after each step of a tensor with all that is measured by then. */
  onTensor?(known: Measured): void | Promise<void>;
  /** Progress in bytes of `bytesToMeasure`, and the tensor at hand. */
  progress?(doneBytes: number, label: string): void;
}

/** Units that are measured at once: one is read while one is on the GPU. */
const UNITS_AT_ONCE = 2;

/** What is measured of a plan's merged tensors, and what is still missing. */
export class Measuring {
  readonly #plan: Plan;
  readonly #options: MeasureOptions;
  readonly #findMissing: ReturnType<typeof openMissing>;
  readonly #facts;
  readonly #cuts;
  /** Work told of each tensor. */
  readonly #told = new Map<string, number>();
  #doneBytes = 0;
  #found = 0;

  constructor(plan: Plan, options: MeasureOptions) {
    const { facts, cuts } = options.known ?? NOTHING_MEASURED;
    this.#plan = plan;
    this.#options = options;
    this.#findMissing = openMissing(plan, options.captions);
    this.#facts = copyTable(facts);
    this.#cuts = copyTable(cuts);
  }

  get measured(): Measured {
    return { facts: this.#facts, cuts: this.#cuts };
  }

  /** Number of steps that are done. */
  get found(): number {
    return this.#found;
  }

  /** Whether something is missing of a unit's tensors. */
  lacks(unit: readonly OutputTensor[]): boolean {
    return this.#findMissing(unit, this.measured).length > 0;
  }

  /** Tells the work of these tensors as done. */
  finish(tensors: readonly OutputTensor[]): void {
    for (const output of tensors) this.#advance(output, Number.POSITIVE_INFINITY);
  }

  /**
   * Measures what is missing of a unit's tensors: selections, then block sums in float32 on the GPU,
   * added up in float64 in block order. `held` are the tiles of its only tensor.
   */
  async measureUnit(
    session: TileSession,
    unit: readonly OutputTensor[],
    held?: TensorTiles,
  ): Promise<void> {
    for (;;) {
      const missing = this.#findMissing(unit, this.measured);
      if (missing.length === 0) break;
      for (const each of missing) {
        const tiles = held ?? (await session.take(each.output));
        try {
          await this.#measureTensor(tiles, each);
        } finally {
          if (tiles !== held) tiles.release();
        }
      }
    }
    this.finish(unit);
  }

  async #measureTensor(
    tiles: TensorTiles,
    { output, selection, rules, parts }: Missing,
  ): Promise<void> {
    const { signal } = this.#options;
    const onElements = (count: number) =>
      this.#advance(output, count * storedBytesPerElement(output));
    const options: PassOptions = { signal, onElements };
    if (selection) {
      const cuts = await selectLargest(tiles, selection, options);
      note(this.#cuts, selection.rule, output.name, cuts);
      await this.#learned();
    }
    if (rules.length > 0) await this.#sum(tiles, rules, options);
    if (parts) {
      const { shares } = await decideParts(this.#plan, tiles, options);
      note(this.#facts, partShares(reductionOf(this.#plan, output)!), output.name, shares);
      await this.#learned();
    }
  }

  async #sum(
    tiles: TensorTiles,
    rules: readonly TensorRule[],
    options: PassOptions,
  ): Promise<void> {
    const sums = rules.map(({ rows }) => new Sums(tiles.whole, rows));
    const summed = tiles.each(tiles.whole, options, async (slot) => {
      const partials = [];
      for (const rule of rules) partials.push(await sumTile(slot, rule));
      return { tile: slot.tile, partials };
    });
    for await (const { tile, partials } of summed) {
      for (const [r, each] of partials.entries()) sums[r]!.add(tile, each);
    }
    for (const [r, { rule }] of rules.entries()) {
      note(this.#facts, rule, tiles.output.name, sums[r]!.factsOf(0));
    }
    await this.#learned();
  }

  async #learned(): Promise<void> {
    this.#found++;
    await this.#options.onTensor?.(this.measured);
  }

  #advance(output: OutputTensor, bytes: number): void {
    const { method } = this.#plan;
    const before = this.#told.get(output.name) ?? 0;
    const most = workToMeasure(method, output, this.#options.captions);
    const told = Math.min(before + bytes, most);
    if (told === before) return;
    this.#told.set(output.name, told);
    this.#doneBytes += told - before;
    this.#options.progress?.(this.#doneBytes, output.name);
  }
}

/** Whether a plan's tensors must be read to be measured. */
export function needsMeasuring(plan: Plan, captions?: readonly string[]): boolean {
  const findMissing = openMissing(plan, captions);
  return groupUnits(plan).some((unit) => findMissing(unit, NOTHING_MEASURED).length > 0);
}

/**
 * Measures the merged tensors of a plan. After a lost device it continues with the first unfinished
 * step of a tensor.
 */
export async function measure(
  plan: Plan,
  gpuProvider: GpuProvider,
  options: MeasureOptions,
): Promise<Measured> {
  const measuring = new Measuring(plan, options);
  const units = groupUnits(plan);
  await goOnAfterLosses(
    async () => {
      const open = units.filter((unit) => measuring.lacks(unit));
      if (open.length === 0) return;
      const inMap = options.captions !== undefined;
      const session = new TileSession(await gpuProvider.get(), plan, inMap, options);
      try {
        const work = (unit: readonly OutputTensor[]) => measureAlone(measuring, session, unit);
        for await (const _ of mapOrdered(open, UNITS_AT_ONCE, work));
      } finally {
        session.release();
      }
    },
    () => measuring.found,
  );
  for (const unit of units) measuring.finish(unit);
  return measuring.measured;
}

/** Measures a unit; a single tensor's tiles stay for all its steps. */
async function measureAlone(
  measuring: Measuring,
  session: TileSession,
  unit: readonly OutputTensor[],
): Promise<void> {
  const [only, ...others] = unit;
  if (!only || others.length > 0) return measuring.measureUnit(session, unit);
  const tiles = await session.take(only);
  try {
    await measuring.measureUnit(session, unit, tiles);
  } finally {
    tiles.release();
  }
}
