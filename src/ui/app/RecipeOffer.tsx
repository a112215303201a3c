import { useStore } from "zustand";
import { Confirm } from "../parts/Confirm.tsx";
import { openRecipe } from "../stores/recipeFile.ts";
import type { Studio } from "../stores/studio.ts";

/** Asks before a dropped recipe replaces the one that is being composed. */
export function RecipeOffer({ studio }: { readonly studio: Studio }) {
  const offered = useStore(studio.desk, (state) => state.offeredRecipe);
  return (
    <Confirm
      opened={offered !== null}
      title="Open this recipe?"
      verb="Replace"
      onConfirm={() => offered && void openRecipe(studio, offered.text)}
      onClose={() => studio.desk.setState({ offeredRecipe: null })}
    >
      {offered?.name} takes the place of the recipe on the Merge screen.
    </Confirm>
  );
}
