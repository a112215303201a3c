import {
  escapeUnseen,
  type TokenList,
  type VocabularyDifference,
  type VocabularyPlan,
} from "../engine/contract/index.ts";

/** Tokens that a line names. */
const MOST_NAMED = 4;

function say({ count, tokens }: TokenList, what: string, moved = false): readonly string[] {
  if (count === 0) return [];
  const named = tokens.slice(0, MOST_NAMED).map(({ token, id, own }) => {
    const text = escapeUnseen(JSON.stringify(token)).slice(0, 60);
    return moved ? `${text} ${own} → ${id}` : text;
  });
  return [`${count} ${what} (${named.join(", ")}${count > named.length ? ", …" : ""})`];
}

function describe(difference: VocabularyDifference): string {
  const { model, tokens, lacks, leftOut, moved, special } = difference;
  const parts = [
    ...say(lacks, "tokens of the result missing"),
    ...say(leftOut, "of its own left out"),
    ...say(moved, "under other ids", true),
    ...special.map(({ role, own, result }) => {
      const [mine, other] = [own, result].map((token) => escapeUnseen(token ?? "none"));
      return `${role} is ${mine} and in the result ${other}`;
    }),
  ];
  return `vocabulary: "${model}" has ${tokens} tokens: ${parts.join("; ")}.`;
}

/** Lines that say how the vocabularies of a merge's models differ from the result's. */
export function describeVocabulary(plan: VocabularyPlan | null): readonly string[] {
  if (!plan) return [];
  const { from, tokens, models } = plan;
  return [
    `vocabulary: the result has ${tokens} tokens, and the tokenizer of "${from}".`,
    ...models.map(describe),
  ];
}
