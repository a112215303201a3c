import { invariant } from "../core/invariant.ts";
import type { CheckpointFormat } from "./checkpointFormat.ts";
import { isTrainingState } from "./trainingState.ts";

const modules = import.meta.glob<{ default: CheckpointFormat }>(
  ["./formats/*.ts", "!./formats/*.test.ts"],
  { eager: true },
);

/** Every format, in the order in which folders are held against them. */
const formats = orderFormats(Object.values(modules).map((module) => module.default));

/** Sorted by `order`, which no two may share. */
export function orderFormats(all: readonly CheckpointFormat[]): readonly CheckpointFormat[] {
  invariant(new Set(all.map(({ order }) => order)).size === all.length, "orders differ");
  return all.toSorted((a, b) => a.order - b.order);
}

/** Whether a file holds weights, in whatever format: what "a weight file" means, everywhere. */
export function isWeightFile(path: string): boolean {
  return !isTrainingState(path) && formats.some((format) => format.isWeights(path));
}

/** The format that the files of one folder are a checkpoint in; null where they are none. */
export function findFormat(
  paths: readonly string[],
  known: readonly CheckpointFormat[] = formats,
): CheckpointFormat | null {
  return known.find((format) => format.match(paths)) ?? null;
}

/** The format of a file by its first bytes; null for one that no format claims. */
export function recogniseFormat(
  first: Uint8Array,
  known: readonly CheckpointFormat[] = formats,
): CheckpointFormat | null {
  return known.find((format) => format.begins?.(first)) ?? null;
}
