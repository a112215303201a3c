import type { Checkpoint, CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { findEmbedding, findHead } from "../checkpoint/tensorRoles/head.ts";
import { countsTokens, isHead } from "../checkpoint/tensorRoles/role.ts";
import { EngineError, type Transplant, type TransplantSettings } from "../contract/index.ts";
import { readVocabulary, type Vocabulary } from "../text/tokenizers/vocabulary.ts";
import type { TokenMatrix } from "./approximate.ts";
import { matchTokens, type TokenMatch } from "./matchTokens.ts";

/** A transplant before any row is made. */
export interface TransplantPlan {
  readonly model: Checkpoint;
  readonly donor: Checkpoint;
  readonly settings: TransplantSettings;
  /** Embedding and, where the model stores one, head. */
  readonly matrices: readonly TokenMatrix[];
  /** Other tensors with one number a token, such as a head's bias. */
  readonly vectors: readonly { readonly own: CheckpointTensor; readonly match: TokenMatch }[];
  readonly record: Transplant;
}

async function requireVocabulary({ name, files }: Checkpoint): Promise<Vocabulary> {
  const vocabulary = await readVocabulary(files);
  if (vocabulary) return vocabulary;
  throw new EngineError(
    "missing-file",
    `"${name}" has no tokenizer.json: a transplant needs the tokenizers of both models. Save it once with transformers, which writes it.`,
    { model: name, file: "tokenizer.json" },
  );
}

/**
 * Plans a transplant: which rows stay the model's, which are made. `missing-file` without a
 * tokenizer, `missing-tensor` where the donor has no embedding.
 */
export async function planTransplant(
  model: Checkpoint,
  donor: Checkpoint,
  settings: TransplantSettings,
): Promise<TransplantPlan> {
  if (model.files === donor.files) {
    throw new EngineError("usage", "Model and donor are the same: choose another donor.");
  }
  const [own, theirs] = [await requireVocabulary(model), await requireVocabulary(donor)];
  const embedding = findEmbedding(donor);
  const head = findHead(donor) ?? embedding;
  const matrices: TokenMatrix[] = [];
  const vectors: TransplantPlan["vectors"][number][] = [];
  for (const tensor of model.tensors.values()) {
    if (!countsTokens(tensor.name) || tensor.shape.length === 0) continue;
    const ofHead = tensor.name.endsWith(".bias") || isHead(tensor.name);
    const from = ofHead ? head : embedding;
    if (!from) {
      throw new EngineError(
        "missing-tensor",
        `"${donor.name}" has no token embedding that rows for its tokens could be found in.`,
        { model: donor.name },
      );
    }
    const rows = { donorRows: from.shape[0]!, ownRows: tensor.shape[0]! };
    const match = matchTokens(theirs, own, rows);
    if (tensor.shape.length === 1) vectors.push({ own: tensor, match });
    else matrices.push({ own: tensor, donor: from, isHead: ofHead, match });
  }
  const [first] = matrices;
  if (!first) {
    throw new EngineError("missing-tensor", `"${model.name}" has no token embedding.`, {
      model: model.name,
    });
  }
  const { count, shared, added } = first.match;
  const record = {
    model: model.name,
    donor: donor.name,
    settings,
    shared: shared.own.length,
    made: added.length,
    zero: count - shared.own.length - added.length,
  };
  return { model, donor, settings, matrices, vectors, record };
}
