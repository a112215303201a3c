import { type DroppedFile, EngineError } from "../../engine/contract/index.ts";
import { attempt, show } from "./actions.ts";
import type { Studio } from "./studio.ts";

/** A recipe is a page of text; the parser takes no more. */
const MOST_BYTES = 2 ** 20;

/** The one dropped file that is a recipe by its name, or null. */
export function findRecipe(files: readonly DroppedFile[]): DroppedFile | null {
  const [only] = files;
  return files.length === 1 && only && /\.ya?ml$/i.test(only.path) ? only : null;
}

/** Reads a recipe's file; where another recipe is being composed a person is asked first. */
export function takeRecipe(studio: Studio, { path, file }: DroppedFile) {
  return attempt(studio, `Open ${path}`, async () => {
    if (file.size > MOST_BYTES) {
      const message = `${path} has ${file.size} bytes; a recipe has at most ${MOST_BYTES}.`;
      throw new EngineError("bad-recipe", message, { path, byteLength: file.size });
    }
    const offered = { name: path, text: await file.text() };
    if (studio.recipe.getState().text.trim() === "") await openRecipe(studio, offered.text);
    else studio.desk.setState({ offeredRecipe: offered });
  });
}

/** Puts a recipe's text on the Merge screen, comments and all; the editor says what is wrong with it. */
export async function openRecipe(studio: Studio, text: string): Promise<void> {
  const parsed = await studio.engine.parseRecipe(text).catch(() => null);
  if (parsed) studio.recipe.compose(parsed.recipe);
  studio.recipe.type(text);
  show("merge");
}
