import { EngineError, type FusionId, type TrainingSettings } from "../contract/index.ts";
import type { FusionLibrary } from "../fuse/dataset/fusions.ts";
import type { FusedRecord } from "../fuse/dataset/records.ts";
import { rowRewards } from "../fuse/rows/choose.ts";
import { softLambda } from "../fuse/rows/lambda.ts";
import { shuffled } from "./order.ts";
import type { TrainingDocuments } from "./trainer.ts";

/** The documents of a fused dataset, parted into those that are learned and those held out. */
export interface PartedDocuments {
  readonly vocabSize: number;
  readonly learned: TrainingDocuments;
  readonly heldOut: number;
  readHeldOut(): Promise<readonly FusedRecord[]>;
}

/** Cards that are asked for at once. */
const PAGE = 512;
/** Documents that are kept in memory; neighbours in an order are far apart in the store. */
const KEPT = 256;

/** Which documents are held out: the same for the same seed, and at least one where any is. */
export function partDocuments(
  count: number,
  { holdout, seed }: Pick<TrainingSettings, "holdout" | "seed">,
): { readonly learned: Uint32Array; readonly heldOut: Uint32Array } {
  const wanted = holdout > 0 ? Math.max(1, Math.round(holdout * count)) : 0;
  const held = Math.min(wanted, Math.max(0, count - 1));
  const order = shuffled(count, seed, -1);
  return { learned: order.slice(held).sort(), heldOut: order.slice(0, held).sort() };
}

/**
 * Opens a fused dataset for a training. `usage` where it is not complete or has too few documents to
 * learn from.
 */
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
