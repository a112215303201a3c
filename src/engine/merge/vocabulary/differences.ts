import type { TokenList, VocabularyDifference } from "../../contract/index.ts";
import { sameIds, TOKEN_ROLES, type Vocabulary } from "../../text/tokenizers/vocabulary.ts";
import type { ModelTokens } from "./unite.ts";

/** Tokens that a list names; the rest is counted. */
const MOST_TOKENS = 100;

type Ids = ReadonlyMap<string, number>;

/** Tokens of `of` that hold a condition, with their ids in the result and in the model. */
function listTokens(
  of: Ids,
  result: Ids,
  own: Ids,
  holds: (id: number | undefined, own: number | undefined) => boolean,
): TokenList {
  const tokens: TokenList["tokens"][number][] = [];
  let count = 0;
  for (const token of of.keys()) {
    const [id, ownId] = [result.get(token), own.get(token)];
    if (!holds(id, ownId)) continue;
    count++;
    if (tokens.length < MOST_TOKENS) tokens.push({ token, id: id ?? null, own: ownId ?? null });
  }
  return { count, tokens };
}

/** How a model's vocabulary differs from a result's; null where every token has the same id. */
export function compareVocabulary(
  model: string,
  { vocabulary, limit }: ModelTokens,
  result: Vocabulary,
): VocabularyDifference | null {
  const { ids, roles } = vocabulary;
  const inOrder = (id: number | undefined) => id !== undefined && id < limit;
  const special = TOKEN_ROLES.flatMap((role) => {
    const [own, other] = [roles.get(role) ?? null, result.roles.get(role) ?? null];
    return own === other ? [] : [{ role, own, result: other }];
  });
  const lacks = listTokens(result.ids, result.ids, ids, (_, own) => !inOrder(own));
  const same = lacks.count === 0 && sameIds(vocabulary, result);
  if (same && special.length === 0) return null;
  const leftOut = listTokens(ids, result.ids, ids, (id, own) => id === undefined && inOrder(own));
  const moved = listTokens(ids, result.ids, ids, (id, own) => id !== undefined && id !== own);
  return { model, tokens: ids.size, lacks, leftOut, moved, special };
}
