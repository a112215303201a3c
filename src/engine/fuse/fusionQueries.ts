import type { LibraryReader } from "../checkpoint/library/library.ts";
import type { Engine, FusionId, ModelId } from "../contract/index.ts";
import { EngineError } from "../contract/index.ts";
import type { OpenLanguageText } from "../runtime/language/languageFiles.ts";
import { tokenText } from "../runtime/language/readTokens.ts";
import type { FusionLibrary } from "./dataset/fusions.ts";
import type { RecordStore } from "./dataset/recordStore.ts";
import { viewDocument } from "./documents/documentView.ts";
import { findOwnRow, viewRow } from "./rows/rowView.ts";

type FusionQueries = Pick<
  Engine,
  "listFusions" | "deleteFusion" | "fusedDocuments" | "fusedDocument" | "fusedRow"
>;

export interface FusionQueriesParts {
  readonly fusions: FusionLibrary;
  readonly records: RecordStore;
  readonly library: LibraryReader;
  readonly openText: OpenLanguageText;
  /** Notifies watchers that the library changed. */
  changed(): void;
}

/** Largest page of a list. */
const MOST_DOCUMENTS = 1000;

/** The engine's queries about fused datasets. */
export function createFusionQueries(parts: FusionQueriesParts): FusionQueries {
  const { fusions, records, changed } = parts;

  // Caches the record read last: the pointer moves over rows of one document.
  const record = keepLast((at: { readonly fusion: FusionId; readonly document: number }) =>
    fusions.record(at.fusion, at.document),
  );
  /** Texts of a fusion's tokens, by member; numbers where the checkpoint is gone. */
  const names = keepLast(async (fusion: FusionId) => {
    const { parties } = await fusions.about(fusion);
    return Promise.all(parties.map(({ id }) => tokenNames(id, parts)));
  });

  return {
    listFusions: () => fusions.list(),
    async deleteFusion(id) {
      record.forget();
      names.forget();
      await fusions.delete(id);
      changed();
    },
    fusedDocuments: ({ fusion, from, count }) => {
      checkIndex(from, "document");
      checkIndex(count, "document");
      return fusions.documents(fusion, from, Math.min(count, MOST_DOCUMENTS));
    },
    async fusedDocument({ fusion, document }) {
      checkIndex(document, "document");
      const [opened, named] = await Promise.all([
        record.get({ fusion, document }),
        names.get(fusion),
      ]);
      const [card] = await fusions.documents(fusion, document, 1);
      if (!card) throw noSuch("document", document);
      return viewDocument(opened, card, named);
    },
    async fusedRow({ fusion, document, row }) {
      checkIndex(document, "document");
      const [{ parties, settings }, opened, named] = await Promise.all([
        fusions.about(fusion),
        record.get({ fusion, document }),
        names.get(fusion),
      ]);
      if (!(Number.isInteger(row) && row >= 0 && row < opened.pivot.positions.length)) {
        throw noSuch("row", row);
      }
      const own = await Promise.all(
        opened.sources.map((source, i) => {
          const folder = parties[i + 1]?.representation ?? null;
          return folder === null
            ? null
            : findOwnRow(records, { folder, number: opened.number, source, row });
        }),
      );
      const pivotName = parties[0]?.model ?? "";
      return viewRow(opened, { document, row, settings, names: named, own, pivotName });
    },
  };
}

/** Caches the last loaded value; loads again for another key or after a failure. */
function keepLast<K, T>(load: (key: K) => Promise<T>) {
  let last: { readonly key: string; readonly loading: Promise<T> } | null = null;
  return {
    get(of: K): Promise<T> {
      const key = JSON.stringify(of);
      if (last?.key === key) return last.loading;
      const loading = load(of);
      last = { key, loading };
      loading.catch(() => {
        if (last?.loading === loading) last = null;
      });
      return loading;
    },
    forget() {
      last = null;
    },
  };
}

async function tokenNames(
  id: ModelId | null,
  { library, openText }: Pick<FusionQueriesParts, "library" | "openText">,
): Promise<(id: number) => string> {
  const numbers = (token: number) => `<id ${token}>`;
  if (id === null) return numbers;
  try {
    const tokenizer = (await openText(await library.open(id))).tokenizer();
    return (token) => tokenText(tokenizer, token);
  } catch (error) {
    // A deleted or unreadable checkpoint does not prevent viewing the fusion.
    if (error instanceof EngineError) return numbers;
    throw error;
  }
}

function checkIndex(index: number, what: string): void {
  if (!(Number.isSafeInteger(index) && index >= 0)) throw noSuch(what, index);
}

const noSuch = (what: string, index: number) =>
  new EngineError("usage", `The fused dataset has no ${what} ${index}.`, { [what]: index });
