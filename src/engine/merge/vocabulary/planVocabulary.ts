import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import {
  EngineError,
  type Finding,
  namedModels,
  type Recipe,
  type TokenList,
  type VocabularyDifference,
  type VocabularyPlan,
} from "../../contract/index.ts";
import { endOfIds, type Vocabulary } from "../../text/tokenizers/vocabulary.ts";
import { compareVocabulary } from "./differences.ts";
import { type MergedVocabulary, mergeVocabularies } from "./mergedVocabulary.ts";
import { groupByFiles, openVocabularies } from "./openVocabularies.ts";

/** What becomes of the vocabularies of a merge. */
export interface VocabularyOutcome {
  /** Null where the recipe asks for none: rows are merged by id. */
  readonly merged: MergedVocabulary | null;
  readonly card: VocabularyPlan | null;
  readonly findings: readonly Finding[];
}

/**
 * Finds the result's vocabulary and how the models' differ from it, from their tokenizers. Equal
 * files are not parsed; models without a tokenizer are not compared.
 */
export async function planVocabulary(
  recipe: Recipe,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  open: (model: string) => Promise<Checkpoint>,
): Promise<VocabularyOutcome> {
  if (!recipe.tokenizer) {
    const { card, findings } = await compareVocabularies(checkpoints);
    return { merged: null, card, findings };
  }
  const { merged, findings } = await mergeVocabularies(recipe, checkpoints, open);
  const models = namedModels(recipe).flatMap((name) => {
    return compareVocabulary(name, merged.models.get(name)!, merged.vocabulary) ?? [];
  });
  const { donor, vocabulary, rows } = merged;
  const card = { from: donor.name, aligned: true, tokens: vocabulary.ids.size, models };
  return {
    merged,
    card: models.length > 0 ? card : null,
    findings: [
      ...findings,
      ...describeRows(merged),
      ...models.flatMap(({ model, leftOut }) => describeLeftOut(model, leftOut, donor.name, rows)),
    ],
  };
}

const quote = ({ tokens, count }: TokenList) => {
  const some = tokens.slice(0, 3).map(({ token }) => JSON.stringify(token).slice(0, 60));
  return `${some.join(", ")}${count > some.length ? " …" : ""}`;
};

function describeLeftOut(
  model: string,
  leftOut: TokenList,
  donor: string,
  rows: number,
): readonly Finding[] {
  if (leftOut.count === 0) return [];
  const items = leftOut.tokens.map(({ token }) => token);
  const message = `${leftOut.count} tokens of "${model}" are not in the result's vocabulary of ${rows} rows, which is that of "${donor}": their rows are left out (${quote(leftOut)}). "source: union" keeps them.`;
  return [{ severity: "warning", code: "mismatch", message, model, items }];
}

/** What the result's vocabulary is, where it is not one model's as it is. */
function describeRows({
  vocabulary,
  rows,
  donor,
  unchanged,
  models,
}: MergedVocabulary): readonly Finding[] {
  const note = (message: string): Finding => ({ severity: "note", code: "info", message });
  const notes: Finding[] = [];
  const own = [...models.values()];
  const homeless = [...vocabulary.ids.keys()].filter((token) =>
    own.every(({ vocabulary: { ids }, limit }) => (ids.get(token) ?? limit) >= limit),
  );
  if (!unchanged) {
    const sentence = `The result has ${vocabulary.ids.size} tokens: the tokenizer of "${donor.name}", whose tokens keep their ids, with those that it lacks as added tokens.`;
    notes.push(note(sentence));
  }
  if (homeless.length > 0) {
    const some = homeless.slice(0, 3).map((token) => JSON.stringify(token).slice(0, 60));
    const sentence = `${homeless.length} tokens of the result have no row in any model (${some.join(", ")}): their rows are zeros, as mergekit's, unless "tokens" gives them a source.`;
    notes.push({ ...note(sentence), severity: "warning", items: homeless.slice(0, 100) });
  }
  const end = endOfIds(vocabulary);
  if (rows > end) {
    const sentence = `Rows ${end} to ${rows - 1} are padding: the mean of the rows that stand for tokens.`;
    notes.push(note(sentence));
  }
  return notes;
}

/** The table and its warnings for a recipe without a tokenizer, against the first model's. */
export async function compareVocabularies(
  checkpoints: ReadonlyMap<string, Checkpoint>,
): Promise<Omit<VocabularyOutcome, "merged">> {
  const groups = await groupByFiles([...checkpoints.values()]);
  const first = [...groups.keys()].find((each) => each.files.has("tokenizer.json"));
  const template = [...checkpoints.values()][0];
  if (!template || first !== template) return { card: null, findings: [] };
  const others = [...checkpoints].filter(([, each]) => groups.get(each) !== template);
  const mine = others.length > 0 ? await readable(template) : null;
  if (!mine) return { card: null, findings: [] };
  const models: VocabularyDifference[] = [];
  for (const [name, checkpoint] of others) {
    const vocabulary = await readable(checkpoint);
    if (!vocabulary) continue;
    const limit = endOfIds(vocabulary);
    const difference = compareVocabulary(name, { vocabulary, limit }, mine);
    if (difference) models.push(difference);
  }
  if (models.length === 0) return { card: null, findings: [] };
  return {
    card: { from: template.name, aligned: false, tokens: mine.ids.size, models },
    findings: models.flatMap((each) => describeDifference(each, template.name)),
  };
}

/** A tokenizer that cannot be read tells nothing, and is no reason not to merge by id. */
async function readable(checkpoint: Checkpoint): Promise<Vocabulary | null> {
  try {
    return (await openVocabularies([checkpoint])).get(checkpoint) ?? null;
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-config") return null;
    throw error;
  }
}

function describeDifference(
  { model, lacks, leftOut, moved }: VocabularyDifference,
  template: string,
): readonly Finding[] {
  const [example] = moved.tokens;
  const counts = [
    example
      ? `${moved.count} tokens have other ids (${JSON.stringify(example.token).slice(0, 60)} is ${example.own} there and ${example.id} in "${template}")`
      : "",
    leftOut.count > 0 ? `${leftOut.count} tokens are not in "${template}"` : "",
    lacks.count > 0 ? `${lacks.count} tokens are only in "${template}"` : "",
  ].filter((part) => part !== "");
  if (counts.length === 0) return [];
  const message = `The vocabulary of "${model}" differs: ${counts.join(", ")}. Rows are merged by id, whatever token they stand for; the result gets the tokenizer of "${template}". "tokenizer: {source: union}" in the recipe merges them token by token.`;
  return [{ severity: "warning", code: "mismatch", message, model }];
}
