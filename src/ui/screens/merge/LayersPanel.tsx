import { Fragment, useMemo } from "react";
import { useStore } from "zustand";
import { modelKeys, type Recipe } from "../../../engine/contract/index.ts";
import { LayerLanes } from "../../plots/LayerLanes.tsx";
import { layerPictures } from "../../plots/layerLanes.ts";
import { mapLegend } from "../../stores/mapLegend.ts";
import type { Studio } from "../../stores/studio.ts";
import { RECIPE_TEXT } from "./RecipeEditor.tsx";
import { sliceId } from "./SlicesForm.tsx";

/** Pictures of a recipe's layers and its stages', with what each is of and where Enter leads. */
function picturesOf(recipe: Recipe) {
  const documents = [...(recipe.stages ?? []), { name: null, recipe }];
  return documents.flatMap(({ name, recipe: own }) => {
    const keys = modelKeys(own);
    const pictures = layerPictures(own, keys, mapLegend(keys, own.base ?? null));
    return pictures.map((picture, module) => ({
      picture,
      title: [name, picture.module].filter((word) => word !== null).join(" · "),
      // The form edits the last merge; the text has them all.
      target: (slice: number) => (name === null ? sliceId(module, slice) : RECIPE_TEXT),
    }));
  });
}

/** The layers of the result by the models that they come from, where the recipe takes ranges of them. */
export function LayersPanel({ studio }: { readonly studio: Studio }) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const pictures = useMemo(() => picturesOf(recipe), [recipe]);
  if (pictures.length === 0) return null;
  return (
    <section className="layers" aria-label="Layers">
      {pictures.map(({ picture, title, target }) => (
        <Fragment key={title}>
          <div className="map-head">
            <h2>{title === "" ? "Layers" : `Layers · ${title}`}</h2>
            <p className="grow muted">{picture.sentence}</p>
          </div>
          <LayerLanes
            label={title === "" ? "Layers of the result" : `Layers of ${title}`}
            picture={picture}
            onOpen={(slice) => document.getElementById(target(slice))?.focus()}
          />
        </Fragment>
      ))}
    </section>
  );
}
