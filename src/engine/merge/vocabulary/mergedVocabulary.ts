import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import {
  EngineError,
  type Finding,
  namedModels,
  type Recipe,
  type RecipeToken,
} from "../../contract/index.ts";
import { cutTokens, endOfIds, sameIds, type Vocabulary } from "../../text/tokenizers/vocabulary.ts";
import { openVocabularies, tokenLimit } from "./openVocabularies.ts";
import { type ModelTokens, nameTokens, uniteVocabularies } from "./unite.ts";

/** The vocabulary of a result, and how its models' tokens lie in it. */
export interface MergedVocabulary {
  readonly vocabulary: Vocabulary;
  /** Rows of the embedding: one more than the highest id, and padding. */
  readonly rows: number;
  /** Checkpoint whose tokenizer the result's is, as it is or grown. */
  readonly donor: Checkpoint;
  /** Whether the donor's tokenizer files hold for the result as they are. */
  readonly unchanged: boolean;
  /** Settings of single tokens. */
  readonly tokens: ReadonlyMap<string, RecipeToken>;
  /** Tokens of each model that the recipe names. */
  readonly models: ReadonlyMap<string, ModelTokens>;
}

/**
 * The vocabulary that a recipe asks for: of all models together, of the base (the first model where
 * there is none) or of any model, merged or not, and the tokens that the recipe adds. `missing-file`
 * where the one has no tokenizer that is read, or there is no such model.
 */
export async function mergeVocabularies(
  recipe: Recipe,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  open: (model: string) => Promise<Checkpoint>,
): Promise<{ readonly merged: MergedVocabulary; readonly findings: readonly Finding[] }> {
  const { source, tokens = [], padToMultipleOf = 1 } = recipe.tokenizer ?? { source: "base" };
  const names = namedModels(recipe);
  const first = checkpoints.get(names[0]!)!;
  const isFirst = source === "union" || source === "base";
  const donor = isFirst ? first : (checkpoints.get(source) ?? (await open(source)));
  const opened = await openVocabularies([...new Set([donor, ...checkpoints.values()])]);
  const base = opened.get(first);
  const own = opened.get(donor);
  if (!own || !base) throw missing(own ? first : donor);
  const findings: Finding[] = [];
  const models = new Map<string, ModelTokens>();
  for (const name of names) {
    const checkpoint = checkpoints.get(name)!;
    const read = opened.get(checkpoint);
    if (!read) findings.push(takeBases(name, first.name));
    const vocabulary = read ?? base;
    models.set(name, { vocabulary, limit: tokenLimit(checkpoint, vocabulary) });
  }
  const limit = tokenLimit(donor, own);
  const plain =
    source === "union" ? uniteVocabularies([...models.values()]) : cutTokens(own, limit);
  const vocabulary = nameTokens(
    plain,
    tokens.map(({ token }) => token),
  );
  const merged: MergedVocabulary = {
    vocabulary,
    rows: Math.ceil(endOfIds(vocabulary) / padToMultipleOf) * padToMultipleOf,
    donor,
    unchanged: sameIds(vocabulary, own) && vocabulary.added.size === own.added.size,
    tokens: new Map(tokens.map((token) => [token.token, token])),
    models,
  };
  return { merged, findings };
}

function missing({ name, files }: Checkpoint): EngineError {
  const slow = [...files.keys()].find((path) => path.endsWith(".model"));
  const has = slow ? `has ${slow} alone` : "has no tokenizer";
  return new EngineError(
    "missing-file",
    `"${name}" ${has}: the recipe's tokenizer needs its tokenizer.json. Save the tokenizer once with transformers, which writes it.`,
    { model: name, file: "tokenizer.json" },
  );
}

function takeBases(model: string, base: string): Finding {
  const message = `"${model}" has no tokenizer that is read: its rows are taken to stand for the tokens of "${base}", as mergekit does.`;
  return { severity: "warning", code: "missing-file", message, model };
}
