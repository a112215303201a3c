import { type FusionId, toFailure } from "../../engine/contract/index.ts";
import { PAGE_DOCUMENTS } from "./fusionStore.ts";
import type { Studio } from "./studio.ts";

/** Loads the documents from `first` to `last`, page by page, unless they are loaded or loading. */
export function loadDocuments(
  studio: Studio,
  fusion: FusionId,
  first: number,
  last: number,
): Promise<void> {
  studio.fusion.read(fusion);
  const wanted: number[] = [];
  const { pages } = studio.fusion.getState();
  for (let page = Math.floor(first / PAGE_DOCUMENTS); page * PAGE_DOCUMENTS <= last; page++) {
    if (pages[page] === undefined) wanted.push(page);
  }
  if (wanted.length === 0) return Promise.resolve();
  const note = (page: number, cards: (typeof pages)[number]) =>
    studio.fusion.take(fusion, (state) => ({ pages: { ...state.pages, [page]: cards } }));
  const load = async (page: number) => {
    note(page, []); // on its way
    const request = { fusion, from: page * PAGE_DOCUMENTS, count: PAGE_DOCUMENTS };
    try {
      note(page, await studio.engine.fusedDocuments(request));
    } catch (error) {
      studio.fusion.take(fusion, (state) => {
        const { [page]: _, ...rest } = state.pages; // may be asked for again
        return { pages: rest, failure: toFailure(error) };
      });
    }
  };
  return Promise.all(wanted.map(load)).then(() => undefined);
}

/** Opens a document; the previous one stays until it is loaded. */
export async function openDocument(studio: Studio, fusion: FusionId, index: number): Promise<void> {
  studio.fusion.read(fusion);
  studio.fusion.setState({ opened: index, failure: null });
  const settle = (change: Partial<ReturnType<typeof studio.fusion.getState>>) =>
    studio.fusion.take(fusion, ({ opened }) => (opened === index ? change : {}));
  try {
    const document = await studio.engine.fusedDocument({ fusion, document: index });
    settle({ document, asked: null, row: null });
  } catch (error) {
    settle({ failure: toFailure(error) });
  }
}

/** Loads a row; of rows requested while another is loading only the last is shown. */
export async function openRow(
  studio: Studio,
  fusion: FusionId,
  document: number,
  row: number,
): Promise<void> {
  const { asked } = studio.fusion.getState();
  if (asked?.document === document && asked.row === row) return;
  const wanted = { document, row };
  studio.fusion.take(fusion, () => ({ asked: wanted }));
  const settle = (change: Partial<ReturnType<typeof studio.fusion.getState>>) =>
    studio.fusion.take(fusion, (state) => (state.asked === wanted ? change : {}));
  try {
    settle({ row: await studio.engine.fusedRow({ fusion, document, row }), failure: null });
  } catch (error) {
    settle({ row: null, failure: toFailure(error) });
  }
}
