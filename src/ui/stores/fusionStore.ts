import { createStore } from "zustand/vanilla";
import type {
  DatasetId,
  Failure,
  FusedDocument,
  FusedDocumentCard,
  FusedRow,
  FusionId,
  FusionProfile,
  FusionSettings,
  JobId,
  ModelId,
} from "../../engine/contract/index.ts";

/** A fusion as it is being put together. Null: nobody chose yet, so the studio proposes. */
export interface FusionDraft {
  readonly pivot: ModelId | null;
  readonly sources: readonly ModelId[] | null;
  readonly datasets: readonly DatasetId[] | null;
  readonly profile: FusionProfile;
  /** Settings that a person set; the profile gives the others. */
  readonly changes: Partial<FusionSettings>;
  readonly name: string | null;
}

export interface FusionState {
  readonly tab: "setup" | "documents" | "pipeline";
  readonly draft: FusionDraft;
  /** The job started from this page; null: the newest that is under way. */
  readonly job: JobId | null;
  /** The fused dataset that is shown; null: the newest. */
  readonly shown: FusionId | null;
  /** Which fused dataset what follows belongs to. */
  readonly reading: FusionId | null;
  /** Cards of documents by page of `PAGE_DOCUMENTS`, as far as they were asked for. */
  readonly pages: Readonly<Record<number, readonly FusedDocumentCard[]>>;
  /** The document that was asked for. It is there when `document` has its index. */
  readonly opened: number | null;
  readonly document: FusedDocument | null;
  /** The row that was asked for, and the last one that came. */
  readonly asked: { readonly document: number; readonly row: number } | null;
  readonly row: FusedRow | null;
  readonly failure: Failure | null;
  /** Which source stands beside the pivot, from 0. */
  readonly source: number;
}

/** Documents that are asked for at once. */
export const PAGE_DOCUMENTS = 50;

const NOTHING_READ = {
  pages: {},
  opened: null,
  document: null,
  asked: null,
  row: null,
  failure: null,
  source: 0,
} as const satisfies Partial<FusionState>;

/** What the Fuse screen shows and holds. */
export function createFusionStore() {
  const store = createStore<FusionState>(() => ({
    tab: "setup",
    draft: {
      pivot: null,
      sources: null,
      datasets: null,
      profile: "studio",
      changes: {},
      name: null,
    },
    job: null,
    shown: null,
    reading: null,
    ...NOTHING_READ,
  }));
  return {
    ...store,
    draft(change: Partial<FusionDraft>) {
      store.setState(({ draft }) => ({ draft: { ...draft, ...change } }));
    },
    /** Turns to a fused dataset; what was read of another one is forgotten. */
    read(fusion: FusionId) {
      if (store.getState().reading !== fusion) store.setState({ reading: fusion, ...NOTHING_READ });
    },
    /** Takes an answer in, if it is about what is still being read. */
    take(fusion: FusionId, change: (state: FusionState) => Partial<FusionState>) {
      store.setState((state) => (state.reading === fusion ? change(state) : {}));
    },
  };
}
export type FusionStore = ReturnType<typeof createFusionStore>;
