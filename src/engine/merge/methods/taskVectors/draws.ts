import type { Param, ReferenceTensor, Resolved, SelectedTensor } from "../../method.ts";
import { type DrawKey, drawKey } from "./philox.ts";

/** Random draws of the methods that drop changes at random. */

export const seedParam: Param = {
  kind: "number",
  scope: "global",
  label: "Seed",
  help: "The same seed drops the same elements, on every machine.",
  min: 0,
  max: 2 ** 31,
  step: 1,
  default: 0,
};

/**
 * Parameter for replaying a recorded run: the second half of the models are its draws in [0, 1).
 */
export const drawsParam: Param = {
  kind: "choice",
  scope: "global",
  label: "Draws",
  help: "Where the draws come from.",
  options: ["philox"],
  accepts: ["recorded"],
  default: "philox",
};

export const isRecorded = ({ global }: Resolved) => global.draws === "recorded";

/** Number of models that are merged; the rest are recorded draws. */
export function countMerged(resolved: Resolved): number {
  return isRecorded(resolved) ? resolved.models.length / 2 : resolved.models.length;
}

/**
 * Keys of the models' draws: the last part of a path, so that they do not depend on where folders
 * lie. Equal names are numbered.
 */
function namesOf(keys: readonly string[]): readonly string[] {
  const last = keys.map((key) => key.split(/[\\/]/).findLast((part) => part !== "") ?? key);
  return last.map((name, m) => {
    const before = last.slice(0, m).filter((other) => other === name).length;
    return before === 0 ? name : `${name}/${before + 1}`;
  });
}

/** Key of one model's draws in a tensor. */
export function drawKeyOf(
  { name, keys, resolved }: Pick<SelectedTensor | ReferenceTensor, "name" | "keys" | "resolved">,
  model: number,
): DrawKey {
  return drawKey(Number(resolved.global.seed), name, namesOf(keys)[model]!);
}
