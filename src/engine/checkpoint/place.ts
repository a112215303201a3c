import type { MapPlace } from "../contract/index.ts";
import { roleOf } from "./tensorRoles/role.ts";

/**
 * Place of a tensor in the weight map, from its name alone: layer, short column, group. Unknown
 * names keep their own words, and stacks beside the language model's are named, so that no two
 * tensors share a cell.
 */
export function placeTensor(name: string): MapPlace {
  const { stack, list, layer, inside, group, matrix, suffix } = roleOf(name);
  const words = inside.split(".");
  const column = matrix ?? (list === null && stack === "text" ? words.slice(-2) : words).join(" ");
  const numbered = list?.split(".").at(-1) ?? "";
  const beside = list === null || stack === "text" ? "" : stack === "unet" ? numbered : stack;
  const heading = [beside, column, suffix].filter((part) => part !== "").join(" ");
  return { layer, column: heading, group };
}
