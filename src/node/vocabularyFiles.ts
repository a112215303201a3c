import type { Vocabulary } from "../engine/fuse/align/types.ts";
import { openVocabulary } from "../engine/fuse/align/vocabulary.ts";
import { openTokenizer } from "../engine/text/tokenizers/tokenizer.ts";
import { openFiles } from "./files.ts";

/** Vocabulary of a folder with a tokenizer.json. */
export async function vocabularyInFolder(folder: string): Promise<Vocabulary> {
  const { files, close } = await openFiles(folder);
  try {
    return openVocabulary((await openTokenizer(files))!);
  } finally {
    await close();
  }
}
