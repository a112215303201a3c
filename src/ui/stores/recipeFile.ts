import { type DroppedFile, EngineError } from "../../engine/contract/index.ts";
import { attempt, begin, show } from "./actions.ts";
import type { OfferedMixture, Studio } from "./studio.ts";

/** Largest recipe file, the parser's limit. */
const MOST_BYTES = 2 ** 20;

/** Dropped file that is a recipe by its name, if it is the only one; else null. */
export function findRecipe(files: readonly DroppedFile[]): DroppedFile | null {
  const [only] = files;
  return files.length === 1 && only && /\.ya?ml$/i.test(only.path) ? only : null;
}

/**
 * Opens a recipe's file, or offers it. A config of mergekit-moe is planned, and the page offers to
 * make it.
 */
export function takeRecipe(studio: Studio, { path, file }: DroppedFile) {
  return attempt(studio, `Open ${path}`, async () => {
    if (file.size > MOST_BYTES) {
      const message = `${path} has ${file.size} bytes; a recipe has at most ${MOST_BYTES}.`;
      throw new EngineError("bad-recipe", message, { path, byteLength: file.size });
    }
    const offered = { name: path, text: await file.text() };
    const { shardBytes } = studio.recipe.getState();
    const plan = await studio.engine.planMixture({ yaml: offered.text, shardBytes });
    if (plan) studio.desk.setState({ offeredMixture: { ...offered, plan } });
    else await offerRecipe(studio, offered);
  });
}

/** Opens a recipe; asks first where another one is being composed. */
export async function offerRecipe(
  studio: Studio,
  offered: { readonly name: string; readonly text: string },
): Promise<void> {
  if (studio.recipe.getState().text.trim() === "") await openRecipe(studio, offered.text);
  else studio.desk.setState({ offeredRecipe: offered });
}

/** Opens a recipe's text on the Merge screen, comments included; the editor shows its errors. */
export async function openRecipe(studio: Studio, text: string): Promise<void> {
  const parsed = await studio.engine.parseRecipe(text).catch(() => null);
  if (parsed) studio.recipe.compose(parsed.recipe);
  studio.recipe.type(text);
  show("merge");
}

/** Starts the job that makes an offered mixture, and shows it. */
export function makeMixture(studio: Studio, { text }: OfferedMixture, name: string) {
  return attempt(studio, `Mix ${name}`, async () => {
    const { shardBytes } = studio.recipe.getState();
    await begin(studio, { kind: "mixture", name, yaml: text, shardBytes });
    show("runs");
  });
}
