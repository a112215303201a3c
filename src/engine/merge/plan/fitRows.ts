import type { CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import type { Finding } from "../../contract/index.ts";
import type { MergeMethod } from "../method.ts";
import { finding, formatShape, type Source, type Sources } from "./sources.ts";

/** One source's tensor of a name. */
export interface Found {
  readonly source: Source;
  readonly tensor: CheckpointTensor;
  /** Index among the models; -1 for the base. */
  readonly index: number;
}

/** The shape that sources are brought to, and what is merged of it. */
export interface Fit {
  readonly shape: readonly number[];
  /** Rows that all sources have, where the first axis counts tokens; null for the whole tensor. */
  readonly mergedRows: number | null;
  /** Holds the rows behind the merged ones. */
  readonly spare: CheckpointTensor | null;
  readonly findings: readonly Finding[];
}

const rowsOf = ({ tensor }: Found) => tensor.shape[0]!;

/** A token of the result's tokenizer, or an id of its config, would lose its row. */
function reportLost(
  name: string,
  found: readonly Found[],
  template: Source,
  common: number,
): Finding {
  const shortest = found.find((each) => rowsOf(each) === common)!;
  const needed = template.tokens!.rows;
  const lost = needed - common;
  const what = lost === 1 ? `id ${common}` : `ids ${common} to ${needed - 1}`;
  const sentence = `"${name}" has ${common} rows in "${shortest.source.key}", but the tokenizer and config of "${template.key}", which the result gets, go up to id ${needed - 1}: ${what} would have no row. Name "${shortest.source.key}" first, or as the base, so that the result gets its tokenizer; or give it the missing rows first.`;
  return finding("error", "mismatch", sentence, { source: shortest.source, tensor: name });
}

/** How mergekit 0.1.5 treats models of unequal rows; empty where it does not have the method. */
function sayMergekits(method: MergeMethod, cuts: boolean): string {
  if (!method.mergekit) return "";
  const flag = cuts ? "; --unsafe-truncate-embeddings makes it leave out the same rows" : "";
  return ` mergekit refuses models with different numbers of rows unless the recipe has a "tokenizer"${flag}.`;
}

/**
 * Brings tensors with one row a token together. Merged are the rows that all have. Rows behind them
 * are kept from the model that has most where no tokenizer calls for them, since padding belongs to a
 * model's shape; rows of tokens that the result's tokenizer lacks are left out; a token of the
 * result's own without a row is an error. Where no file tells the tokens, the method says which rows
 * are merged (`tokenRows`).
 */
export function fitRows(name: string, found: readonly Found[], { template, method }: Sources): Fit {
  const first = found[0] as Found;
  const common = Math.min(...found.map(rowsOf));
  const withRows = (rows: number) => [rows, ...first.tensor.shape.slice(1)];
  const known = template.tokens;
  if (known && known.rows > common) {
    const findings = [reportLost(name, found, template, common)];
    return { shape: first.tensor.shape, mergedRows: common, spare: null, findings };
  }
  const refuse = (why: string): Fit => {
    const { source, tensor } = found.find((each) => rowsOf(each) !== rowsOf(first))!;
    const sentence = `"${name}" has the shape ${formatShape(tensor.shape)} in "${source.key}" and ${formatShape(first.tensor.shape)} in "${first.source.key}": ${why}`;
    const findings = [finding("error", "mismatch", sentence, { source, tensor: name })];
    return { shape: first.tensor.shape, mergedRows: null, spare: null, findings };
  };
  const tokenRows = method.tokenRows ?? (method.base === "none" ? "common" : "base");
  if (!known?.whole && tokenRows === "base" && rowsOf(first) > common) {
    return refuse(
      "the base has more rows than the model, and no tokenizer tells whether they are spare.",
    );
  }
  // A model without a tokenizer of its own is taken to have the result's.
  const tokensOf = ({ source }: Found) => (source.tokens?.whole ? source.tokens : known);
  const isSpare = (each: Found) => (tokensOf(each)?.rows ?? Number.POSITIVE_INFINITY) <= common;
  const longest = found.reduce<Found | null>((best, each) => {
    if (!known?.whole || !isSpare(each) || rowsOf(each) <= common) return best;
    return best && rowsOf(best) >= rowsOf(each) ? best : each;
  }, null);
  const cut = found.filter((each) => rowsOf(each) > common && !(longest && isSpare(each)));
  if (tokenRows === "equal" && cut.length > 0) {
    return refuse(`${method.title} merges equal vocabularies only.`);
  }
  const findings = cut.map(({ source, tensor }) => {
    const rows = `rows ${common} to ${tensor.shape[0]! - 1}, and the tokens they stand for, are left out.${sayMergekits(method, longest === null)}`;
    const sentence = `"${name}" has the shape ${formatShape(tensor.shape)} in "${source.key}"; it is cut to ${common} rows: ${rows}`;
    return finding("warning", "mismatch", sentence, { source, tensor: name });
  });
  if (!longest) return { shape: withRows(common), mergedRows: common, spare: null, findings };
  const rows = `${common} to ${rowsOf(longest) - 1}`;
  const sentence = `Rows ${rows} of "${name}" stand for no token and are not in every model: they are kept from "${longest.source.key}".${sayMergekits(method, false)}`;
  const kept = finding("note", "info", sentence, { source: longest.source, tensor: name });
  return {
    shape: withRows(rowsOf(longest)),
    mergedRows: common,
    spare: longest.tensor,
    findings: [...findings, kept],
  };
}
