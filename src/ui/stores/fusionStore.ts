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

/** Draft of a fusion. Null: not chosen, the default applies. */
export interface FusionDraft {
  readonly pivot: ModelId | null;
  readonly sources: readonly ModelId[] | null;
  readonly datasets: readonly DatasetId[] | null;
  readonly profile: FusionProfile;
  /** Settings that the user changed; the profile gives the others. */
  readonly changes: Partial<FusionSettings>;
  readonly name: string | null;
}

export interface FusionState {
  readonly tab: "setup" | "documents" | "pipeline";
  readonly draft: FusionDraft;
  /** Job that was started here; null: the newest unfinished one. */
  readonly job: JobId | null;
  /** Fused dataset that is shown; null: the newest. */
  readonly shown: FusionId | null;
  /** Fused dataset that the following fields belong to. */
  readonly reading: FusionId | null;
  /** Document cards by page of `PAGE_DOCUMENTS`, as far as loaded. */
  readonly pages: Readonly<Record<number, readonly FusedDocumentCard[]>>;
  /** Index of the requested document, which is loaded when `document` has it. */
  readonly opened: number | null;
  readonly document: FusedDocument | null;
  /** Requested row, and the row that was loaded last. */
  readonly asked: { readonly document: number; readonly row: number } | null;
  readonly row: FusedRow | null;
  readonly failure: Failure | null;
  /** Index of the source beside the pivot, from 0. */
  readonly source: number;
}

/** Documents loaded at once. */
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

/** Store of the Fuse screen. */
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
    /** Switches to a fused dataset, and drops what was loaded of another. */
    read(fusion: FusionId) {
      if (store.getState().reading !== fusion) store.setState({ reading: fusion, ...NOTHING_READ });
    },
    /** Applies an answer, if it is about the present dataset. */
    take(fusion: FusionId, change: (state: FusionState) => Partial<FusionState>) {
      store.setState((state) => (state.reading === fusion ? change(state) : {}));
    },
  };
}
export type FusionStore = ReturnType<typeof createFusionStore>;
