import { values as allValues, del, set } from "idb-keyval";
import type { FusionCard, FusionId, FusionSettings, ModelId } from "../../contract/index.ts";
import type { Database } from "../../storage/database.ts";

/** A member of a fusion as the catalogue keeps it. */
export interface StoredMember {
  /** Its name, as cards show it. */
  readonly model: string;
  /** Its checkpoint, for the texts of its tokens; null where it is not in the library. */
  readonly id: ModelId | null;
  /** The folder of what it said, one record a document represented; null after an import. */
  readonly representation: string | null;
}

export interface FusionStart {
  /** Made unique: a taken name gets " 2". */
  readonly name: string;
  readonly origin: FusionCard["origin"];
  readonly vocabSize: number;
  readonly settings: FusionSettings;
  /** The members, the pivot first; stored under this name. */
  readonly parties: readonly StoredMember[];
}

/** A fused dataset in the catalogue. Written again, with its card, after its documents. */
export interface FusionRow extends FusionStart {
  readonly type: "fusion";
  readonly id: FusionId;
  readonly createdAt: number;
  /** Null until it is complete. */
  readonly card: FusionCard | null;
}

/** Where it is written which fused datasets there are. */
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
