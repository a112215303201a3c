import { invariant } from "../core/invariant.ts";
import type { CheckpointFormat } from "./checkpointFormat.ts";
import { isTrainingState } from "./trainingState.ts";

const modules = import.meta.glob<{ default: CheckpointFormat }>(
  ["./formats/*.ts", "!./formats/*.test.ts"],
  { eager: true },
);

/** All formats, in the order in which folders are matched against them. */
const formats = orderFormats(Object.values(modules).map((module) => module.default));

/** Formats sorted by `order`, which must be unique. */
export function orderFormats(all: readonly CheckpointFormat[]): readonly CheckpointFormat[] {
  invariant(new Set(all.map(({ order }) => order)).size === all.length, "orders differ");
  return all.toSorted((a, b) => a.order - b.order);
}

/** Whether a path is a weight file of any format. */
export function isWeightFile(path: string): boolean {
  return !isTrainingState(path) && formats.some((format) => format.isWeights(path));
}

/** Format of a folder's files; null where they are no checkpoint. */
export function findFormat(
  paths: readonly string[],
  known: readonly CheckpointFormat[] = formats,
): CheckpointFormat | null {
  return known.find((format) => format.match(paths)) ?? null;
}

/** Format of a file by its first bytes; null for an unknown one. */
export function recogniseFormat(
  first: Uint8Array,
  known: readonly CheckpointFormat[] = formats,
): CheckpointFormat | null {
  return known.find((format) => format.begins?.(first)) ?? null;
}
