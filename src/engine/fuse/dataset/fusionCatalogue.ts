import { values as allValues, del, set } from "idb-keyval";
import type { FusionCard, FusionId, FusionSettings, ModelId } from "../../contract/index.ts";
import type { Database } from "../../storage/database.ts";

/** A member of a fusion in the catalogue. */
export interface StoredMember {
  /** Name of the model, as cards show it. */
  readonly model: string;
  /**
   * Its checkpoint in the library, whose tokenizer gives the tokens' texts; null where there is
   * none.
   */
  readonly id: ModelId | null;
  /** Folder of its representations, one record per document; null after an import. */
  readonly representation: string | null;
}

export interface FusionStart {
  /** Name of the dataset, made unique: a taken name gets " 2". */
  readonly name: string;
  readonly origin: FusionCard["origin"];
  readonly vocabSize: number;
  readonly settings: FusionSettings;
  /** Members, the pivot first; `parties` in stored rows. */
  readonly parties: readonly StoredMember[];
}

/** A fused dataset in the catalogue. Written again, with its card, after its documents. */
export interface FusionRow extends FusionStart {
  readonly type: "fusion";
  readonly id: FusionId;
  readonly createdAt: number;
  /** Null until the dataset is complete. */
  readonly card: FusionCard | null;
}

/** Catalogue of the fused datasets. */
export interface FusionCatalogue {
  list(): Promise<readonly FusionRow[]>;
  put(row: FusionRow): Promise<void>;
  delete(id: FusionId): Promise<void>;
}

const isFusionRow = (row: unknown): row is FusionRow =>
  typeof row === "object" && row !== null && "type" in row && row.type === "fusion";

/** In this browser's IndexedDB, beside checkpoints and datasets. */
export function storedFusionCatalogue(database: Database): FusionCatalogue {
  const catalogue = database.store("catalogue");
  return {
    list: async () => (await allValues<unknown>(catalogue)).filter(isFusionRow),
    put: (row) => set(row.id, row, catalogue),
    delete: (id) => del(id, catalogue),
  };
}
