import type { PlannedFile } from "../../checkpoint/formats/safetensors/shards.ts";
import { type Piece, type WriteOptions, writeShards } from "../../checkpoint/writeShards.ts";
import type { OutputDType } from "../../contract/index.ts";
import type { FileTree, FileTreeWriter } from "../../core/bytes.ts";
import { invariant } from "../../core/invariant.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import { goOnAfterLosses } from "../../gpu/lostDevice.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import { partsOf, type TileInput } from "../../gpu/tiles/tileInput.ts";
import type { TileSlot } from "../../gpu/tiles/tileSlot.ts";
import { countParts, cutTiles, type Tile } from "../../gpu/tiles/tiling.ts";
import type { Decision } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { copyTile, cutCopyTiles, cutSpareTiles, spareTile } from "./copyTile.ts";
import { withDerived } from "./derive.ts";
import { explainNonfinite } from "./nonfinite.ts";
import { decideParts } from "./parts.ts";
import { layoutOf, partOf, seesBase } from "./rules.ts";
import { openTileSession, type TileSession } from "./session.ts";
import { readTile } from "./tileInput.ts";

export interface RunOptions extends WriteOptions {
  /** Files written beside the weights, in this order. */
  readonly sideFiles: FileTree;
  /** Tile length in elements, below what the budget allows; results do not depend on it. */
  readonly tileElements?: number;
}

interface TileJob {
  readonly output: OutputTensor;
  /** First byte of the tile within the file. */
  readonly start: number;
  /** Range of elements to merge, or of bytes to copy. */
  readonly tile: Tile;
}

/**
 * Writes the planned files in order, each from where its sink stopped: an interrupted run or a lost
 * device resumes at the last block and ends with the same bytes. Reading, computing and writing
 * overlap; memory is a few tiles, whatever the model's size.
 */
export async function runMerge(
  plan: Plan,
  decisions: ReadonlyMap<string, Decision>,
  writer: FileTreeWriter,
  gpuProvider: GpuProvider,
  options: RunOptions,
): Promise<void> {
  const outputs = new Map(plan.outputs.map((output) => [output.name, output]));
  let session: TileSession | null = null;

  const openSession = async (): Promise<TileSession> => {
    const work = plan.outputs.map((output) => ({ output }));
    session ??= openTileSession(await gpuProvider.get(), plan, work, options.tileElements);
    return session;
  };
  const closeSession = () => {
    session?.release();
    session = null;
  };

  try {
    await writeShards(
      {
        files: plan.shards.files,
        sideFiles: options.sideFiles,
        pieces,
        persist: (write, position) =>
          goOnAfterLosses(async () => {
            try {
              await write();
            } catch (error) {
              closeSession(); // of a device that may be lost
              throw error;
            }
          }, position),
      },
      writer,
      options,
    );
  } finally {
    closeSession();
  }

  async function* pieces(file: PlannedFile, from: number): AsyncGenerator<Piece> {
    const left = file.tensors.filter(({ start, byteLength }) => start + byteLength > from);
    const computes = left.some(({ name }) => outputs.get(name)?.action === "merge");
    const { slots, tileElements } = computes ? await openSession() : { slots: [], tileElements: 0 };
    const constantsOf = constantsByTile(tileElements);
    const jobs = tileJobs(left, from, tileElements);
    yield* mapOrdered(jobs, Math.max(slots.length, 2), async ({ output, start, tile }, slot) => {
      options.signal.throwIfAborted();
      const label = output.name;
      if (output.action === "copy") return { start, label, bytes: await copyTile(output, tile) };
      if (tile.first >= output.elementCount && output.spare) {
        return { start, label, bytes: await spareTile(output, tile) };
      }
      const read = await readTile(output, tile, layoutOf(plan, output), seesBase(plan, output));
      const input = await withDerived(plan, output, read, slots[slot]!);
      const constants = await constantsOf(output, input, slots[slot]!);
      const rule = plan.method.apply(output.resolved);
      const linked = plan.method.linked?.(output.resolved);
      const dtype = output.dtype as OutputDType;
      const applied = { rule, constants, linked };
      const { bytes, nonfinite } = await slots[slot]!.merge(input, applied, dtype);
      if (nonfinite > 0) throw await explainNonfinite(plan, output, tile);
      return { start, label, bytes };
    });
  }

  /**
   * Constants of each tile. Those of rows or columns are decided when the first tile of their
   * tensor asks for them, and dropped with the next tensor.
   */
  function constantsByTile(tileElements: number) {
    const { signal } = options;
    let tensor = "";
    let decided: ReturnType<typeof decideParts> | null = null;
    return async (output: OutputTensor, input: TileInput, slot: TileSlot) => {
      if (partOf(plan, output) === "tensor") {
        const decision = decisions.get(output.name);
        invariant(decision, `"${output.name}" was decided`);
        return decision.constants;
      }
      if (!decided || tensor !== output.name) {
        tensor = output.name;
        decided = decideParts(plan, output, [slot], { signal, tileElements });
      }
      const { constants } = await decided;
      const each = constants.length / countParts(input.layout);
      const { first, count } = partsOf(input);
      return constants.subarray(first * each, (first + count) * each);
    };
  }

  function* tileJobs(
    left: PlannedFile["tensors"],
    from: number,
    tileElements: number,
  ): Generator<TileJob, void, undefined> {
    for (const slot of left) {
      const output = outputs.get(slot.name);
      invariant(output, `"${slot.name}" is in the plan`);
      const done = Math.max(0, from - slot.start);
      if (output.action === "copy") {
        for (const tile of cutCopyTiles(slot.byteLength, done)) {
          yield { output, tile, start: slot.start + tile.first };
        }
        continue;
      }
      const layout = layoutOf(plan, output);
      const bytesPerElement = byteLength(output.dtype, 1);
      const startOf = (tile: Tile) => slot.start + tile.first * bytesPerElement;
      const element = done / bytesPerElement;
      if (element < output.elementCount) {
        for (const tile of cutTiles(layout, tileElements, element)) {
          yield { output, tile, start: startOf(tile) };
        }
      }
      for (const tile of cutSpareTiles(output, Math.floor(element))) {
        yield { output, tile, start: startOf(tile) };
      }
    }
  }
}
