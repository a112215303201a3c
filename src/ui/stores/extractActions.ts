import type { ExtractionSettings, ModelCard, ModelId } from "../../engine/contract/index.ts";
import { attempt, begin, show } from "./actions.ts";
import { suggestName } from "./compatible.ts";
import type { Studio } from "./studio.ts";

/** Base of two models, guessed from their weights; the older one where nothing tells. */
export async function guessOriginal(
  studio: Studio,
  models: readonly ModelCard[],
): Promise<ModelId | undefined> {
  const guessed = await studio.engine.guessBase(models.map(({ id }) => id)).catch(() => null);
  return guessed ?? models.toSorted((a, b) => a.createdAt - b.createdAt)[0]?.id;
}

/** Starts an extraction and shows it among the runs. */
export function startExtraction(
  studio: Studio,
  {
    base,
    model,
    settings,
  }: { readonly base: ModelCard; readonly model: ModelCard; readonly settings: ExtractionSettings },
) {
  return attempt(studio, "Extract a LoRA", async () => {
    const taken = (studio.library.getState().models ?? []).map(({ name }) => name);
    const name = suggestName(`${model.name}-lora`, taken);
    await begin(studio, { kind: "extract", base: base.id, model: model.id, settings, name });
    studio.desk.setState({ selected: [] });
    show("runs");
  });
}
