import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { findEmbedding, findHead } from "../../checkpoint/tensorRoles/head.ts";
import { rowLength } from "../../checkpoint/views/gatherRows.ts";
import type { Finding, Recipe } from "../../contract/index.ts";
import type { Details } from "./details.ts";
import type { NonfiniteRows } from "./nonfiniteRows.ts";
import type { OutputTensor } from "./outputTensor.ts";
import { finding, type Source, type Sources } from "./sources.ts";

/** `Row 70`, `Rows 70 to 79`. */
const sayRows = ({ row, count }: NonfiniteRows) =>
  count === 1 ? `Row ${row}` : `Rows ${row} to ${row + count - 1}`;

function describe(
  rows: NonfiniteRows,
  source: Source,
  output: OutputTensor,
  { all, fills }: { readonly all: readonly Source[]; readonly fills: boolean },
): Finding {
  const { row, column, value, numbersIn } = rows;
  const { name } = output;
  const element = row * rowLength(output) + column;
  const what = `${sayRows(rows)} of "${name}" in "${source.key}" hold no numbers (element ${element}, row ${row} and column ${column}, is ${value})`;
  const has = all.filter(({ stored }) => numbersIn.includes(stored));
  const about = { source, tensor: name };
  const [from] = has;
  if (!from) {
    const sentence = `${what}, and no other model has numbers in all of them: a merge cannot make numbers of that. Write numbers into these rows, such as the mean of all rows, or leave the model out.`;
    return finding("error", "nonfinite", sentence, about);
  }
  const setting = { ...about, setting: "fill_nan_rows" };
  if (fills) {
    const sentence = `${what}: they are read from "${from.key}", as the recipe wants.`;
    return finding("note", "info", sentence, setting);
  }
  const who = has.map(({ key }) => `"${key}"`).join(", ");
  const sentence = `${what}, those of ${who} do. "fill_nan_rows: true" in the recipe reads them from "${from.key}"; otherwise a merge cannot make numbers of that.`;
  return finding("error", "nonfinite", sentence, setting);
}

/** What the merge makes of rows of tokens without numbers, where it computes with them. */
export function describeNonfiniteRows(
  { base, models, template }: Sources,
  { fillNanRows }: Recipe,
  outputs: readonly OutputTensor[],
  details: Details,
): readonly Finding[] {
  const all = base ? [base, ...models] : models;
  const merged = new Map(outputs.map((output) => [output.name, output]));
  const seen = new Set<Checkpoint>();
  return all.flatMap((source) => {
    if (seen.has(source.stored)) return [];
    seen.add(source.stored);
    const found = details.get(source.stored)?.nonfiniteRows ?? [];
    return found.flatMap((rows): readonly Finding[] => {
      const find = rows.part === "head" ? findHead : findEmbedding;
      const name = (find(template.checkpoint) ?? find(source.checkpoint))?.name ?? "";
      const output = merged.get(name);
      if (output?.action !== "merge") return [];
      const left = output.elementCount / rowLength(output) - rows.row;
      if (left <= 0) return [];
      const counted = { ...rows, count: Math.min(rows.count, left) };
      return [describe(counted, source, output, { all, fills: fillNanRows === true })];
    });
  });
}
