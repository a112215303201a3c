import type { PlannedFile } from "../../checkpoint/formats/safetensors/shards.ts";
import { type Piece, type WriteOptions, writeShards } from "../../checkpoint/writeShards.ts";
import type { FileTree, FileTreeWriter } from "../../core/bytes.ts";
import { invariant } from "../../core/invariant.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import type { GpuProvider } from "../../gpu/device.ts";
import { goOnAfterLosses } from "../../gpu/lostDevice.ts";
import { mapOrdered } from "../../gpu/tiles/ordered.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { copyTile, cutCopyTiles, cutSpareTiles, spareTile } from "./copyTile.ts";
import { groupUnits } from "./decide.ts";
import { type MeasureOptions, Measuring } from "./measure.ts";
import type { Measured } from "./measured.ts";
import { mergeTensor, type Prepared, prepareTensor } from "./mergeTensor.ts";
import { oneAhead } from "./oneAhead.ts";
import { TileSession } from "./session.ts";

/** Pieces of a copied tensor that are under way at once. */
const COPIES_AT_ONCE = 2;

export interface RunOptions extends Omit<MeasureOptions, "progress">, WriteOptions {
  /** Files written beside the weights, in their order, given what was measured by then. */
  sideFiles(measured: Measured): Promise<FileTree>;
  /** Progress of what is measured on the way, in bytes of `bytesToMeasure`. */
  onMeasured?(doneBytes: number, label: string): void;
}

/** Pieces of one tensor of a file, ready to be computed. */
interface TensorPieces {
  pieces(): AsyncGenerator<Piece>;
  release(): void;
}

/**
 * Writes the planned files in order, each from where its sink stopped: an interrupted run or a lost
 * device resumes at the last block and ends with the same bytes. Each tensor is measured as far as it
 * must be, decided and written while its tiles are on the GPU. Reading, computing and writing
 * overlap; memory is that of the budget, whatever the model's size.
 */
export async function runMerge(
  plan: Plan,
  writer: FileTreeWriter,
  gpuProvider: GpuProvider,
  options: RunOptions,
): Promise<void> {
  const { signal, progress: _, onMeasured, ...measures } = options;
  const outputs = new Map(plan.outputs.map((output) => [output.name, output]));
  const units = new Map(groupUnits(plan).map((unit) => [unit[0]!.unit, unit]));
  const measuring = new Measuring(plan, {
    ...measures,
    signal,
    ...(onMeasured ? { progress: onMeasured } : {}),
  });
  let session: TileSession | null = null;

  const openSession = async (): Promise<TileSession> => {
    const inMap = options.captions !== undefined;
    session ??= new TileSession(await gpuProvider.get(), plan, inMap, options);
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
        sideFiles: () => {
          closeSession();
          return options.sideFiles(measuring.measured);
        },
        pieces,
        persist: (write, position) =>
          goOnAfterLosses(
            async () => {
              try {
                await write();
              } catch (error) {
                closeSession(); // of a device that may be lost
                throw error;
              }
            },
            () => position() + measuring.found,
          ),
      },
      writer,
      options,
    );
  } finally {
    closeSession();
  }

  async function* pieces(file: PlannedFile, from: number): AsyncGenerator<Piece> {
    const left = file.tensors.filter(({ start, byteLength }) => start + byteLength > from);
    const prepared = oneAhead(left, (tensor) => {
      const output = outputs.get(tensor.name);
      invariant(output, `"${tensor.name}" is in the plan`);
      const done = Math.max(0, from - tensor.start);
      return output.action === "copy" ? copied(output, tensor, done) : merged(output, tensor, done);
    });
    for await (const tensor of prepared) yield* tensor.pieces();
  }

  async function copied(
    output: OutputTensor,
    { start, byteLength }: PlannedFile["tensors"][number],
    done: number,
  ): Promise<TensorPieces> {
    const pieces = () =>
      mapOrdered(cutCopyTiles(byteLength, done), COPIES_AT_ONCE, async (tile) => {
        signal.throwIfAborted();
        const bytes = await copyTile(output, tile);
        return { start: start + tile.first, label: output.name, bytes };
      });
    return { pieces, release: () => {} };
  }

  async function merged(
    output: OutputTensor,
    { start }: PlannedFile["tensors"][number],
    done: number,
  ): Promise<TensorPieces> {
    const unit = units.get(output.unit);
    invariant(unit, `"${output.name}" belongs to a unit`);
    const bytesPerElement = byteLength(output.dtype, 1);
    const from = Math.floor(done / bytesPerElement);
    const prepared: Prepared | null =
      from < output.elementCount
        ? await prepareTensor(plan, measuring, await openSession(), output, unit, signal)
        : null;
    const startOf = (first: number) => start + first * bytesPerElement;
    async function* pieces() {
      if (prepared) {
        for await (const { first, bytes } of mergeTensor(plan, prepared, signal, from)) {
          yield { start: startOf(first), label: output.name, bytes };
        }
      }
      for (const tile of cutSpareTiles(output, from)) {
        const bytes = await spareTile(output, tile);
        yield { start: startOf(tile.first), label: output.name, bytes };
      }
    }
    return { pieces, release: () => prepared?.tiles.release() };
  }
}
