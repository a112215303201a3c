import { type CheckpointTensor, readTensor } from "../../checkpoint/checkpoint.ts";
import { countsTokens } from "../../checkpoint/tensorRoles/role.ts";
import { EngineError } from "../../contract/index.ts";
import { toF64 } from "../../core/tensor/convert.ts";
import { byteLength } from "../../core/tensor/dtype.ts";
import type { Tile } from "../../gpu/tiles/tiling.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";

/** Elements that are looked through at once. */
const PIECE_ELEMENTS = 2 ** 20;

/** One model's tensor and what messages call the model. */
interface Named {
  readonly key: string;
  readonly tensor: CheckpointTensor;
}

/** The first element of a stretch that is NaN or infinite, and its value; null where all are finite. */
async function findNonfinite(
  { tensor }: Named,
  { first, count }: Tile,
): Promise<{ readonly at: number; readonly value: number } | null> {
  for (let from = first; from < first + count; from += PIECE_ELEMENTS) {
    const length = Math.min(PIECE_ELEMENTS, first + count - from);
    const [start, bytes] = [byteLength(tensor.dtype, from), byteLength(tensor.dtype, length)];
    const values = toF64(await readTensor(tensor, start, bytes), tensor.dtype);
    const index = values.findIndex((value) => !Number.isFinite(value));
    if (index >= 0) return { at: from + index, value: values[index]! };
  }
  return null;
}

function nameSources({ recipe, keys }: Plan, { base, models, present }: OutputTensor): Named[] {
  const named = models.map((tensor, i) => ({ key: keys[present[i]!]!, tensor }));
  return base ? [{ key: recipe.base ?? "base", tensor: base }, ...named] : named;
}

/** `element 4100 (row 128, column 4)`. */
function sayElement(at: number, shape: readonly number[]): string {
  if (shape.length < 2) return `element ${at}`;
  const columns = shape.slice(1).reduce((product, axis) => product * axis, 1);
  return `element ${at} (row ${Math.floor(at / columns)}, column ${at % columns})`;
}

/** Which other models hold numbers in that row of tokens, and what to do about it. */
async function offerOthers(
  others: readonly Named[],
  at: number,
  { name, shape }: OutputTensor,
): Promise<string> {
  if (!countsTokens(name) || shape.length < 2) return "";
  const columns = shape.slice(1).reduce((product, axis) => product * axis, 1);
  const row = { first: Math.floor(at / columns) * columns, count: columns };
  for (const other of others) {
    if (await findNonfinite(other, row)) continue;
    return ` "${other.key}" has numbers in that row: "fill_nan_rows: true" in the recipe reads it from there. (A weight of 0 does not help: 0 times NaN is NaN.)`;
  }
  return "";
}

/**
 * Why a stretch of a merged tensor is not finite: the first model that holds NaN or infinity there
 * and at which element, or the output's dtype where none does. Reads the stretch once more.
 */
export async function explainNonfinite(
  plan: Plan,
  output: OutputTensor,
  tile: Tile,
): Promise<EngineError> {
  const { name, dtype, shape } = output;
  const { first, count } = tile;
  const sources = nameSources(plan, output);
  for (const source of sources) {
    const found = await findNonfinite(source, tile);
    if (!found) continue;
    const others = sources.filter((other) => other !== source);
    const sentence = `"${name}" of "${source.key}" is ${found.value} at ${sayElement(found.at, shape)}: a merge cannot make numbers of that.${await offerOthers(others, found.at, output)}`;
    return new EngineError("nonfinite", sentence, {
      tensor: name,
      model: source.key,
      element: found.at,
    });
  }
  return new EngineError(
    "nonfinite",
    `"${name}": all models are finite, but merging elements ${first} to ${first + count - 1} gives NaN or infinity in ${dtype}. Is ${dtype} too narrow for the result?`,
    { tensor: name, first, count, dtype },
  );
}
