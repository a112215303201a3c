import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import { countsTokens } from "../../checkpoint/tensorRoles/role.ts";
import { ROW, type VocabularyRows } from "../../checkpoint/views/rowSource.ts";
import { rebuildRows } from "../../checkpoint/views/vocabularyRows.ts";
import { EngineError, type OutputDType, type TokenSource } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import type { Vocabulary } from "../../text/tokenizers/vocabulary.ts";
import type { MergedVocabulary } from "./mergedVocabulary.ts";
import type { ModelTokens } from "./unite.ts";

/** Rows by vocabulary of a model, vocabulary of a result and limit: models often share theirs. */
const known = new WeakMap<Vocabulary, WeakMap<Vocabulary, Map<string, Int32Array>>>();

/** By id of the result, the row of the same token in a model; −1: it has none. */
function rowsOfTokens({ vocabulary, limit }: ModelTokens, result: Vocabulary, count: number) {
  const ofModel = known.get(vocabulary) ?? new WeakMap<Vocabulary, Map<string, Int32Array>>();
  known.set(vocabulary, ofModel);
  const byLimit = ofModel.get(result) ?? new Map<string, Int32Array>();
  ofModel.set(result, byLimit);
  const key = `${limit} ${count}`;
  const found = byLimit.get(key) ?? new Int32Array(count).fill(-1);
  if (byLimit.has(key)) return found;
  for (const [token, id] of result.ids) {
    const own = vocabulary.ids.get(token);
    if (own !== undefined && own < limit) found[id] = own;
  }
  byLimit.set(key, found);
  return found;
}

/**
 * Where mergekit takes the rows of a result's tokens from, for inputs of which some lack the tensor.
 * An input has its own row where it has the token; else the recipe's source of that token, the
 * base's row, the only owner's, or the mean of all owners' stands in. Padding is the mean of the rows
 * that stand for a token.
 */
function chooseRows(
  { vocabulary, rows: count, tokens, models }: MergedVocabulary,
  inputs: readonly string[],
  base: string | undefined,
  present: readonly boolean[],
): VocabularyRows {
  const all = inputs.map((name) => rowsOfTokens(models.get(name)!, vocabulary, count));
  const there = inputs.flatMap((_, i) => (present[i] ? [i] : []));
  const baseAt = there.find((i) => inputs[i] === base);
  const shared = new Int32Array(count).fill(ROW.padding);
  const sharedRow = new Int32Array(count);
  const own = [...all];
  const take = (id: number, from: number, row: number) => {
    shared[id] = from;
    sharedRow[id] = row;
  };
  for (const [token, id] of vocabulary.ids) {
    shared[id] = ROW.zero;
    const { source, force } = tokens.get(token) ?? {};
    const owners = there.filter((i) => all[i]![id]! >= 0);
    if (owners.length === there.length && !force) continue;
    if (source) {
      if (source.kind !== "zero") take(id, ...findRow(token, id, source));
      for (const i of force ? there : []) {
        if (own[i] === all[i]) own[i] = all[i]!.slice();
        own[i]![id] = -1;
      }
    } else if (force) {
      throw tokenError(token, `"force" needs a "source"`);
    } else if (owners.length === 1 || (baseAt !== undefined && owners.includes(baseAt))) {
      const from = owners.length === 1 ? owners[0]! : baseAt!;
      take(id, from, all[from]![id]!);
    } else if (owners.length > 1) {
      shared[id] = ROW.mean;
    }
  }
  return { count, own, shared, sharedRow };

  function findRow(
    token: string,
    id: number,
    source: Exclude<TokenSource, { readonly kind: "zero" }>,
  ): readonly [from: number, row: number] {
    const from = there.find((i) => inputs[i] === source.model);
    if (from === undefined) {
      throw tokenError(token, `its source "${source.model}" is not among the models`);
    }
    if (source.kind === "model") {
      const row = all[from]![id]!;
      if (row >= 0) return [from, row];
      throw tokenError(token, `its source "${source.model}" has no row for it`);
    }
    const { ids } = models.get(source.model)!.vocabulary;
    const row = typeof source.token === "number" ? source.token : ids.get(source.token);
    if (row !== undefined) return [from, row];
    throw tokenError(token, `its source "${source.model}" has no row for ${source.token}`);
  }
}

function tokenError(token: string, why: string): EngineError {
  return new EngineError("bad-recipe", `The token ${clip(token)} of the recipe: ${why}.`, {
    key: "tokens",
    token: token.slice(0, 120),
  });
}

/**
 * The inputs of one merge, by the names of their models, as views in the result's vocabulary. One
 * that is listed twice counts once where rows are averaged.
 */
export function inVocabulary(
  merged: MergedVocabulary,
  inputs: readonly { readonly model: string; readonly checkpoint: Checkpoint }[],
  base: string | undefined,
  dtype: OutputDType | undefined,
): readonly Checkpoint[] {
  const names = [...new Set(inputs.map(({ model }) => model))];
  const firsts = names.map((name) => inputs.find(({ model }) => model === name)!.checkpoint);
  const byPresence = new Map<string, VocabularyRows>();
  const rowsFor = (present: readonly boolean[]) => {
    const key = present.join();
    const rows = byPresence.get(key) ?? chooseRows(merged, names, base, present);
    byPresence.set(key, rows);
    return rows;
  };
  const views = rebuildRows(firsts, rowsFor, dtype);
  return inputs.map(({ model, checkpoint }) => {
    const at = names.indexOf(model);
    return checkpoint === firsts[at] ? views[at]! : withTokens(checkpoint, views[at]!);
  });
}

/** The checkpoint with the tensors of another that have one row a token. */
function withTokens(checkpoint: Checkpoint, { tensors }: Checkpoint): Checkpoint {
  const replaced = [...checkpoint.tensors].map(
    ([name, tensor]): readonly [string, CheckpointTensor] => [
      name,
      (countsTokens(name) && tensors.get(name)) || tensor,
    ],
  );
  return { ...checkpoint, tensors: new Map(replaced) };
}
