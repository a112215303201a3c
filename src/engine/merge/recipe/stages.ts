import { type Recipe, renameModels } from "../../contract/index.ts";

/** Name of the model that a reference means: mergekit writes `model@revision+adapter`. */
export const modelOf = (reference: string) => reference.split(/[+@]/, 1)[0]!;

/** Names of the adapters that a reference adds to its model, in their order. */
export const adaptersOf = (reference: string) => reference.split("+").slice(1);

/** Every name that a recipe refers to, those of its tokenizer among them; its stages' not. */
export function namesIn({ stages: _, ...recipe }: Recipe): ReadonlySet<string> {
  const names = new Set<string>();
  renameModels(recipe, (reference) => {
    names.add(modelOf(reference));
    return reference;
  });
  return names;
}

/** A recipe and its stages, in the order in which they are merged; the recipe itself has no name. */
export function documentsOf(
  recipe: Recipe,
): readonly { readonly name: string | null; readonly recipe: Recipe }[] {
  return [...(recipe.stages ?? []), { name: null, recipe }];
}
