import type { Engine, FusionId, ModelId } from "../contract/index.ts";
import { EngineError } from "../contract/index.ts";
import type { OpenLanguageText } from "../evaluate/languageFiles.ts";
import { tokenText } from "../evaluate/readTokens.ts";
import type { Library } from "../model/library.ts";
import { viewDocument } from "./documentView.ts";
import type { FusionLibrary } from "./fusions.ts";
import { PROFILES } from "./profiles.ts";
import type { RecordStore } from "./recordStore.ts";
import type { FusedRecord } from "./records.ts";
import { findOwnRow, viewRow } from "./rowView.ts";

type FusionFace = Pick<
  Engine,
  | "fusionProfiles"
  | "listFusions"
  | "deleteFusion"
  | "fusedDocuments"
  | "fusedDocument"
  | "fusedRow"
>;

export interface FusionFaceParts {
  readonly fusions: FusionLibrary;
  readonly records: RecordStore;
  readonly library: Library;
  readonly openText: OpenLanguageText;
  /** Tells the watchers that the library changed. */
  changed(): void;
}

/** A page of a list; nobody sees more at once. */
const MOST_DOCUMENTS = 1000;

/** The part of the engine's face that is about fused datasets. */
export function createFusionFace(parts: FusionFaceParts): FusionFace {
  const { fusions, records, changed } = parts;

  /** Names of a fusion's tokens, by member: texts where the checkpoint is still there, else numbers. */
  async function namesOf(fusion: FusionId): Promise<((id: number) => string)[]> {
    const { parties } = await fusions.about(fusion);
    return Promise.all(parties.map(({ id }) => tokenNames(id, parts)));
  }

  // The pointer goes from row to row of one document: it is read and decoded once.
  let latest: { readonly key: string; readonly record: Promise<FusedRecord> } | null = null;
  function recordOf(fusion: FusionId, document: number): Promise<FusedRecord> {
    const key = `${fusion} ${document}`;
    if (latest?.key === key) return latest.record;
    const record = fusions.record(fusion, document);
    latest = { key, record };
    record.catch(() => {
      if (latest?.record === record) latest = null;
    });
    return record;
  }

  return {
    fusionProfiles: async () => PROFILES,
    listFusions: () => fusions.list(),
    async deleteFusion(id) {
      latest = null;
      await fusions.delete(id);
      changed();
    },
    fusedDocuments: ({ fusion, from, count }) => {
      checkIndex(from, "document");
      return fusions.documents(fusion, from, Math.min(count, MOST_DOCUMENTS));
    },
    async fusedDocument({ fusion, document }) {
      checkIndex(document, "document");
      const [record, names] = await Promise.all([recordOf(fusion, document), namesOf(fusion)]);
      const [card] = await fusions.documents(fusion, document, 1);
      if (!card) throw noSuch("document", document);
      return viewDocument(record, card, names);
    },
    async fusedRow({ fusion, document, row }) {
      checkIndex(document, "document");
      const [{ parties, settings }, record, names] = await Promise.all([
        fusions.about(fusion),
        recordOf(fusion, document),
        namesOf(fusion),
      ]);
      if (!(Number.isInteger(row) && row >= 0 && row < record.pivot.positions.length)) {
        throw noSuch("row", row);
      }
      const own = await Promise.all(
        record.sources.map((source, i) => {
          const folder = parties[i + 1]?.representation ?? null;
          return folder === null
            ? null
            : findOwnRow(records, { folder, number: record.number, source, row });
        }),
      );
      const pivotName = parties[0]?.model ?? "";
      return viewRow(record, { document, row, settings, names, own, pivotName });
    },
  };
}

async function tokenNames(
  id: ModelId | null,
  { library, openText }: Pick<FusionFaceParts, "library" | "openText">,
): Promise<(id: number) => string> {
  const numbers = (token: number) => `<id ${token}>`;
  if (id === null) return numbers;
  try {
    const tokenizer = (await openText(await library.open(id))).tokenizer();
    return (token) => tokenText(tokenizer, token);
  } catch (error) {
    // Deleted, or of a kind that cannot be read any more: the fusion itself can still be looked at.
    if (error instanceof EngineError) return numbers;
    throw error;
  }
}

function checkIndex(index: number, what: string): void {
  if (!(Number.isSafeInteger(index) && index >= 0)) throw noSuch(what, index);
}

const noSuch = (what: string, index: number) =>
  new EngineError("usage", `The fused dataset has no ${what} ${index}.`, { [what]: index });
