import type { FusionSettings } from "../../contract/index.ts";
import { createBreather } from "../../core/breather.ts";
import { startSha256 } from "../../storage/hash.ts";
import type { StoredDataset } from "../../text/datasets/datasetLibrary.ts";
import { type DatasetEntry, readDataset } from "../../text/datasets/datasets.ts";
import { countRows, drawRows } from "../../text/datasets/sampleRows.ts";
import { systemIntoUser } from "../../text/datasets/systemRole.ts";
import type { DocumentPiece, FusionDocument } from "../dataset/records.ts";
import { documentPieces, RowRefusal } from "../documents/document.ts";
import { type Dropped, DroppedCounter } from "../documents/dropped.ts";
import { Splitter } from "../documents/split.ts";
import {
  bytesOf,
  encodeDocument,
  type FusionModel,
  placeOf,
  type StageParts,
} from "./fuseStages.ts";

/** Seed that draws the same rows as an evaluation. */
const SEED = 1;
/** Bytes of documents per transaction. */
const BATCH_BYTES = 1 << 20;

/** Documents of a fusion as records of a folder. */
export interface WrittenDocuments {
  readonly count: number;
  /** UTF-8 bytes of their texts. */
  readonly bytes: number;
  /** Hash of all documents. */
  readonly hash: string;
  readonly dropped: Dropped;
  readonly notes: readonly string[];
}

/**
 * Writes the datasets' documents into an emptied folder. `usage` for the first bad row where bad
 * rows are refused.
 */
export async function writeDocuments(
  datasets: readonly StoredDataset[],
  folder: string,
  parts: Pick<StageParts, "records" | "models" | "settings" | "signal" | "progress">,
): Promise<WrittenDocuments> {
  const { records, models, settings, signal, progress } = parts;
  const limit = longestBlock(models, settings.maxTokens);
  const maker = new DocumentMaker(limit, parts);
  const hash = await startSha256();
  let batch: Uint8Array<ArrayBuffer>[] = [];
  let [count, bytes, held] = [0, 0, 0];
  const flush = async () => {
    await records.append(folder, batch);
    batch = [];
    held = 0;
  };
  await records.deleteFolder(folder);
  const notes: string[] = [];
  for (const dataset of datasets) {
    const { card, file, source } = dataset;
    const { textColumn } = settings;
    const total = await countRows(dataset, textColumn, signal);
    const drawn = drawRows(total, settings.rows, SEED);
    const some = drawn.size < total;
    if (some) {
      notes.push(`${card.name}: ${drawn.size} of ${total} rows, drawn at random.`);
    }
    let good = 0;
    for await (const entry of readDataset(source, file, { textColumn })) {
      signal.throwIfAborted();
      // Rows that are not drawn are still parsed, so that unreadable ones are reported.
      if ("row" in entry && !drawn.has(good++)) continue;
      const named = datasets.length > 1 ? nameDomain(entry, card.name) : entry;
      for (const document of await maker.documentsOf(named, card.name)) {
        const record = encodeDocument(document);
        hash.update(record);
        batch.push(record);
        count += 1;
        bytes += bytesOf(document);
        held += record.byteLength;
      }
      if (held > BATCH_BYTES) await flush();
      progress(0, `Reading ${card.name}: row ${entry.at}`);
    }
  }
  await flush();
  if (limit < settings.maxTokens) {
    notes.push(
      `Documents have at most ${limit} tokens: more are not in the context of every model.`,
    );
  }
  if (maker.cut > 0) {
    notes.push(`${maker.cut} texts or turns were longer than ${limit} tokens and were cut.`);
  }
  for (const [model, texts] of maker.unread) {
    notes.push(
      `${texts} documents hold characters that ${model} has no tokens for: it reads its unknown token there.`,
    );
  }
  return { count, bytes, hash: hash.digest(), dropped: maker.dropped.state(), notes };
}

/**
 * An entry with a domain: where its row names none and there are several datasets, the dataset's
 * name.
 */
export function nameDomain(entry: DatasetEntry, dataset: string): DatasetEntry {
  if ("problem" in entry || entry.row.domain !== null) return entry;
  return { ...entry, row: { ...entry.row, domain: dataset.replace(/\.[^.]*$/, "") } };
}

/** Tokens of a document at most: the requested limit, bounded by every model's context. */
function longestBlock(models: readonly FusionModel[], maxTokens: number): number {
  return Math.min(maxTokens, ...models.map(({ contextLength }) => contextLength));
}

/** Makes documents of rows: applies the template, and splits them for every model's context. */
class DocumentMaker {
  readonly #splitter: Splitter;
  readonly #models: readonly FusionModel[];
  readonly #settings: FusionSettings;
  readonly #breathe: () => Promise<void>;
  /** Number of documents with characters that a model has no tokens for, by model. */
  readonly unread = new Map<string, number>();
  readonly dropped: DroppedCounter;
  cut = 0;

  constructor(limit: number, parts: Pick<StageParts, "models" | "settings" | "signal">) {
    const { models, settings, signal } = parts;
    this.#models = models;
    this.#settings = settings;
    this.#breathe = createBreather(signal);
    this.#splitter = new Splitter(
      models.map(({ reader }) => reader),
      limit,
    );
    this.dropped = new DroppedCounter(settings.badRows);
  }

  async documentsOf(entry: DatasetEntry, dataset: string): Promise<readonly FusionDocument[]> {
    const { at } = entry;
    const drop = (reason: string, count = 1) =>
      this.dropped.add(reason, placeOf({ dataset, at }), count);
    if ("problem" in entry) {
      drop(entry.problem);
      return [];
    }
    const row = this.#settings.systemIntoUser ? systemIntoUser(entry.row) : entry.row;
    const pieces = await documentPieces(row, this.#models[0] as FusionModel, {
      inTurns: this.#settings.profile.startsWith("fusechat"),
    });
    if (pieces instanceof RowRefusal) {
      drop(pieces.reason);
      return [];
    }
    const { parts, cut, unsplittable } = await this.#splitter.split(pieces, this.#breathe);
    this.cut += cut;
    const learned = parts.filter(hasToLearn);
    const idle = "a part in which nothing is to be learned";
    if (parts.length === 1) drop(idle, 1 - learned.length);
    else this.dropped.count(idle, placeOf({ dataset, at }), parts.length - learned.length);
    const whole = unsplittable > 0 ? learned.filter((part) => this.#splitter.fits(part)) : learned;
    drop("a character of more tokens than a document may have", learned.length - whole.length);
    const { domain } = entry.row;
    const known: (readonly DocumentPiece[])[] = [];
    for (const part of whole) {
      await this.#breathe();
      if (this.#canRead(part, drop)) known.push(part);
    }
    return known.map((part, i) => ({ dataset, at, part: i + 1, domain, pieces: part }));
  }

  /**
   * Whether a document is kept. What a model reads as its unknown token it seems to foresee well, so
   * the document is left out; the references keep it, and so do their profiles unless asked to refuse.
   */
  #canRead(part: readonly DocumentPiece[], drop: (reason: string) => void): boolean {
    const stranger = this.#models.find(({ reader }) => reader.tokenise(part).unread);
    if (!stranger) return true;
    const { profile, badRows } = this.#settings;
    if (profile === "studio" || badRows === "refuse") {
      drop(`characters that ${stranger.name} has no tokens for`);
      return false;
    }
    this.unread.set(stranger.name, (this.unread.get(stranger.name) ?? 0) + 1);
    return true;
  }
}

/** Whether a document has learned tokens beside those that end turns. */
function hasToLearn(pieces: readonly DocumentPiece[]): boolean {
  return pieces.some(
    ({ kind, text, supervised }) => supervised && kind !== "end" && text.trim() !== "",
  );
}
