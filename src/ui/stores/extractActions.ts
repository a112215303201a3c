import type { ExtractionSettings, ModelCard, ModelId } from "../../engine/contract/index.ts";
import { attempt, begin, show } from "./actions.ts";
import { isCompatible, suggestName } from "./compatible.ts";
import type { Studio } from "./studio.ts";

/**
 * The one of two models that the other was made from: the base of all models of their shape, if it is
 * one of them, else the older one, since two weights alone do not tell.
 */
export async function guessOriginal(
  studio: Studio,
  models: readonly ModelCard[],
): Promise<ModelId | undefined> {
  const [first] = models;
  const alike = (studio.library.getState().models ?? []).filter(
    (each) => first && isCompatible(each, first),
  );
  const guessed =
    alike.length > 2
      ? await studio.engine.guessBase(alike.map(({ id }) => id)).catch(() => null)
      : null;
  const known = models.find(({ id }) => id === guessed);
  return (known ?? models.toSorted((a, b) => a.createdAt - b.createdAt)[0])?.id;
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
