import type { LibraryReader } from "../checkpoint/library/library.ts";
import type { Engine } from "../contract/index.ts";
import { readExtraction } from "./documents.ts";

/** The engine's queries about extracted adapters. */
export function createExtractQueries(
  library: Pick<LibraryReader, "open">,
): Pick<Engine, "extraction"> {
  return { extraction: async (model) => readExtraction(await library.open(model)) };
}
