import { tidyName, uniqueName } from "../../checkpoint/names.ts";
import {
  EngineError,
  FUSION_SETTINGS,
  type FusedDocumentCard,
  type FusionCard,
  type FusionId,
  type FusionSettings,
} from "../../contract/index.ts";
import { completeSettings } from "../../core/checkSettings.ts";
import { makeId } from "../../core/id.ts";
import { invariant } from "../../core/invariant.ts";
import {
  type DocumentSummary,
  documentCard,
  FusionTotals,
  summarize,
} from "../documents/documentSummary.ts";
import { decodeFused, encodeFused } from "./codec.ts";
import type { FusionCatalogue, FusionRow, FusionStart } from "./fusionCatalogue.ts";
import {
  decodePlain,
  encodePlain,
  type RecordStore,
  readRecord,
  readRecords,
} from "./recordStore.ts";
import type { FusedRecord } from "./records.ts";

/**
 * Writer of one fused dataset, document by document. Reopened, it continues after the last
 * document.
 */
export interface FusionWriter {
  readonly id: FusionId;
  /** Number of documents written. */
  readonly documents: number;
  /** `number` of the last document written; -1: none. */
  readonly lastNumber: number;
  append(records: readonly FusedRecord[]): Promise<void>;
  /** Marks the fusion as complete. */
  seal(dropped: FusionCard["dropped"]): Promise<FusionCard>;
}

/** Library of the fused datasets in this browser. */
export interface FusionLibrary {
  /** Cards, newest first; unfinished datasets with the documents written so far. */
  list(): Promise<readonly FusionCard[]>;
  card(id: FusionId): Promise<FusionCard>;
  /** Start data of a fusion; `missing-file` where it was deleted. */
  about(id: FusionId): Promise<FusionStart>;
  begin(start: FusionStart): Promise<FusionWriter>;
  /** Writer that continues an unfinished fusion. */
  resume(id: FusionId): Promise<FusionWriter>;
  /** Cards of documents [from, from + count), fewer at the end. */
  documents(id: FusionId, from: number, count: number): Promise<readonly FusedDocumentCard[]>;
  /** All records in order, starting with index `from`. */
  records(id: FusionId, from?: number): AsyncGenerator<FusedRecord>;
  record(id: FusionId, index: number): Promise<FusedRecord>;
  /** Deletes a dataset, and the representations that no other fusion uses. */
  delete(id: FusionId): Promise<void>;
}

const recordsFolder = (id: FusionId) => `fusion/${id}`;
const summariesFolder = (id: FusionId) => `fusion/${id}/summaries`;

/** Fusion library over the catalogue and the record store. */
export function openFusions(catalogue: FusionCatalogue, records: RecordStore): FusionLibrary {
  /** Rows of the catalogue; settings that their version lacked get the profile's value. */
  async function rows(): Promise<readonly FusionRow[]> {
    const complete = (settings: FusionSettings) =>
      completeSettings(FUSION_SETTINGS, settings, settings.profile);
    return (await catalogue.list()).map((each) => ({
      ...each,
      settings: complete(each.settings),
      card: each.card && { ...each.card, settings: complete(each.card.settings) },
    }));
  }

  async function row(id: FusionId): Promise<FusionRow> {
    const found = (await rows()).find((each) => each.id === id);
    if (found) return found;
    const message = "The library has no such fused dataset; it may be deleted.";
    throw new EngineError("missing-file", message, { fusion: id });
  }

  async function totalsOf({ id, parties }: FusionRow): Promise<FusionTotals> {
    const totals = new FusionTotals(parties.map(({ model }) => model));
    for await (const bytes of readRecords(records, summariesFolder(id))) {
      totals.add(decodePlain<DocumentSummary>(bytes));
    }
    return totals;
  }

  /** Repairs the summaries after a crash: they are written after their records. */
  async function mendSummaries(id: FusionId): Promise<FusionTotals> {
    const totals = await totalsOf(await row(id));
    const known = await records.count(summariesFolder(id));
    for await (const bytes of readRecords(records, recordsFolder(id), known)) {
      const summary = summarize(decodeFused(bytes), bytes.byteLength);
      await records.append(summariesFolder(id), [encodePlain(summary)]);
      totals.add(summary);
    }
    return totals;
  }

  async function openWriter(id: FusionId): Promise<FusionWriter> {
    const start = await row(id);
    const totals = await mendSummaries(id);
    let documents = await records.count(recordsFolder(id));
    let lastNumber = -1;
    if (documents > 0) {
      const last = await readRecord(records, summariesFolder(id), documents - 1);
      lastNumber = decodePlain<DocumentSummary>(last).number;
    }
    return {
      id,
      get documents() {
        return documents;
      },
      get lastNumber() {
        return lastNumber;
      },
      async append(added) {
        if (added.length === 0) return;
        await row(id); // refuses to write into a fusion that was deleted meanwhile
        const encoded = added.map(encodeFused);
        const summaries = added.map((record, i) => summarize(record, encoded[i]!.byteLength));
        const first = await records.append(recordsFolder(id), encoded);
        invariant(first === documents, "one writer a fusion");
        await records.append(summariesFolder(id), summaries.map(encodePlain));
        for (const summary of summaries) totals.add(summary);
        documents += added.length;
        lastNumber = (added.at(-1) as FusedRecord).number;
      },
      async seal(dropped) {
        const card = cardOf(await row(id), totals, { state: "complete", dropped });
        await catalogue.put({ ...start, card });
        return card;
      },
    };
  }

  async function card(found: FusionRow): Promise<FusionCard> {
    if (found.card) return found.card;
    return cardOf(found, await totalsOf(found), { state: "partial", dropped: [] });
  }

  return {
    async list() {
      const cards = await Promise.all((await rows()).map(card));
      return cards.sort((a, b) => b.createdAt - a.createdAt);
    },
    card: async (id) => card(await row(id)),
    about: row,
    async begin(start) {
      const id = makeId();
      const taken = new Set((await catalogue.list()).map(({ name }) => name));
      const name = uniqueName(tidyName(start.name), taken);
      const about = { id, name, createdAt: Date.now(), card: null };
      await catalogue.put({ ...start, ...about, type: "fusion" });
      return openWriter(id);
    },
    async resume(id) {
      const { card, name } = await row(id);
      if (!card) return openWriter(id);
      throw new EngineError("usage", `${name} is complete: there is nothing to go on with.`);
    },
    async documents(id, from, count) {
      await row(id);
      const found = await records.read(summariesFolder(id), from, count);
      return found.map((bytes, i) => documentCard(from + i, decodePlain<DocumentSummary>(bytes)));
    },
    async *records(id, from = 0) {
      await row(id);
      for await (const bytes of readRecords(records, recordsFolder(id), from)) {
        yield decodeFused(bytes);
      }
    },
    async record(id, index) {
      await row(id);
      return decodeFused(await readRecord(records, recordsFolder(id), index));
    },
    async delete(id) {
      const { parties } = await row(id);
      // The catalogue row is deleted last: after a crash the rest can still be found and deleted.
      await records.deleteFolder(recordsFolder(id));
      await records.deleteFolder(summariesFolder(id));
      const others = (await catalogue.list()).filter((other) => other.id !== id);
      const used = new Set(
        others.flatMap((other) => other.parties.map(({ representation }) => representation)),
      );
      for (const { representation } of parties) {
        if (representation !== null && !used.has(representation)) {
          await records.deleteFolder(representation);
        }
      }
      await catalogue.delete(id);
    },
  };
}

function cardOf(
  { id, name, origin, createdAt, vocabSize, settings, parties }: FusionRow,
  totals: FusionTotals,
  { state, dropped }: Pick<FusionCard, "state" | "dropped">,
): FusionCard {
  return {
    id,
    name,
    state,
    origin,
    createdAt,
    vocabSize,
    settings,
    dropped,
    pivot: parties[0]?.id ?? null,
    ...totals.whole(),
    domains: totals.domains(),
  };
}
