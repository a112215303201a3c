import { EngineError, type FusionId, type TrainingSettings } from "../contract/index.ts";
import type { FusionLibrary } from "../fuse/dataset/fusions.ts";
import type { FusedRecord } from "../fuse/dataset/records.ts";
import { rowRewards } from "../fuse/rows/choose.ts";
import { softLambda } from "../fuse/rows/lambda.ts";
import { shuffled } from "./order.ts";
import type { TrainingDocuments } from "./trainer.ts";

/** Documents of a fused dataset, split into training and held-out documents. */
export interface PartedDocuments {
  readonly vocabSize: number;
  readonly learned: TrainingDocuments;
  readonly heldOut: number;
  readHeldOut(): Promise<readonly FusedRecord[]>;
}

/** Cards read at once. */
const PAGE = 512;
/** Documents kept in memory: neighbours in a shuffled order are far apart in the store. */
const KEPT = 256;

/**
 * Splits off the held-out documents: the same for the same seed, and at least one where any are
 * asked for.
 */
export function partDocuments(
  count: number,
  { holdout, seed }: Pick<TrainingSettings, "holdout" | "seed">,
): { readonly learned: Uint32Array; readonly heldOut: Uint32Array } {
  const wanted = holdout > 0 ? Math.max(1, Math.round(holdout * count)) : 0;
  const held = Math.min(wanted, Math.max(0, count - 1));
  const order = shuffled(count, seed, -1);
  return { learned: order.slice(held).sort(), heldOut: order.slice(0, held).sort() };
}

/** Opens a fused dataset for training. `usage` where it is incomplete or has too few documents. */
export async function openTrainingDocuments(
  fusions: FusionLibrary,
  id: FusionId,
  settings: TrainingSettings,
): Promise<PartedDocuments> {
  const card = await fusions.card(id);
  if (card.state !== "complete") {
    throw new EngineError("usage", `The fusion "${card.name}" is not complete: resume it first.`, {
      fusion: id,
    });
  }
  const tokens: number[] = [];
  for (let from = 0; from < card.documents; from += PAGE) {
    for (const document of await fusions.documents(id, from, PAGE)) tokens.push(document.tokens);
  }
  const { learned, heldOut } = partDocuments(tokens.length, settings);
  const kept = new Map<number, FusedRecord>();
  const read = async (document: number): Promise<FusedRecord> => {
    const known = kept.get(document) ?? (await fusions.record(id, document));
    kept.delete(document); // the latest last
    kept.set(document, known);
    for (const [oldest] of kept) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return known;
  };
  return {
    vocabSize: card.vocabSize,
    heldOut: heldOut.length,
    learned: {
      lengths: Uint32Array.from(learned, (document) => tokens[document]!),
      read: (place) => read(learned[place]!),
      softLambda: (record) =>
        softLambda(rowRewards(record, 0, card.settings), card.settings.fusion),
    },
    readHeldOut: () => Promise.all([...heldOut].map((document) => fusions.record(id, document))),
  };
}
