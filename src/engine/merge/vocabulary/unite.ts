import type { AddedToken } from "../../text/tokenizers/addedTokens.ts";
import {
  addTokens,
  completeSpecials,
  cutTokens,
  endOfIds,
  plainToken,
  type Vocabulary,
} from "../../text/tokenizers/vocabulary.ts";

/** A model's tokens, of which those from the id `limit` on have no row. */
export interface ModelTokens {
  readonly vocabulary: Vocabulary;
  readonly limit: number;
}

/** Tokens that have a row, by rising id. */
function tokensWithRows({ vocabulary, limit }: ModelTokens): readonly string[] {
  const found = [...vocabulary.ids].filter(([, id]) => id < limit);
  return found.sort(([, a], [, b]) => a - b).map(([token]) => token);
}

/**
 * The vocabulary of all models together. The first model's tokens keep their ids; behind them stand
 * the ordinary tokens of the others, model by model and by their ids there, and then their added
 * ones. As mergekit has it, all of them are added tokens of the first model's tokenizer, and one that
 * any model has added is an added one here.
 */
export function uniteVocabularies(models: readonly ModelTokens[]): Vocabulary {
  const [first, ...others] = models as readonly [ModelTokens, ...ModelTokens[]];
  const own = completeSpecials(cutTokens(first.vocabulary, first.limit));
  const added = new Map<string, AddedToken>();
  const ordinary = new Map<string, AddedToken>();
  for (const model of [first, ...others]) {
    for (const token of tokensWithRows(model)) {
      const stated = model.vocabulary.added.get(token);
      if (stated && !added.has(token)) added.set(token, stated);
      else if (!stated && !own.ids.has(token)) ordinary.set(token, plainToken(token, 0));
    }
  }
  for (const token of own.added.keys()) added.delete(token);
  for (const token of added.keys()) ordinary.delete(token);
  let next = endOfIds(own);
  const tokens = [...ordinary.values(), ...added.values()];
  return addTokens(
    own,
    tokens.map((token) => ({ ...token, id: own.ids.get(token.content) ?? next++ })),
  );
}

/** The vocabulary with tokens that a recipe names, the new ones behind all others. */
export function nameTokens(vocabulary: Vocabulary, tokens: readonly string[]): Vocabulary {
  const end = endOfIds(vocabulary);
  const missing = tokens.filter((token) => !vocabulary.ids.has(token));
  return addTokens(
    vocabulary,
    missing.map((token, i) => plainToken(token, end + i)),
  );
}
