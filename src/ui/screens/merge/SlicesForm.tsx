import { useStore } from "zustand";
import {
  keysOfList,
  modelKeys,
  type RecipeSlice,
  type Settings,
} from "../../../engine/contract/index.ts";
import type { Verb } from "../../parts/VerbMenu.tsx";
import { isModel } from "../../stores/compatible.ts";
import { fillRequired } from "../../stores/recipeStore.ts";
import type { Studio } from "../../stores/studio.ts";
import { modelColour } from "../../theme/colours.ts";
import { formatLayers } from "../../theme/format.ts";
import { AddModel } from "./AddModel.tsx";
import { OwnFields } from "./OwnFields.tsx";
import { SliceCard } from "./SliceCard.tsx";
import {
  addSlice,
  addSource,
  changeSlice,
  changeSource,
  editSlices,
  moveSlice,
} from "./sliceEdits.ts";

interface SlicesFormProps {
  readonly studio: Studio;
  /** Index of the module; 0 where the recipe has none. */
  readonly module: number;
}

/** More slices than this are folded at first, in a list that scrolls. */
const MOST_OPEN = 5;

/** DOM id of a slice's card. */
export const sliceId = (module: number, slice: number) => `slice-${module}-${slice}`;

/** Slices of the result from its first layer to its last, each with its models and their layers. */
export function SlicesForm({ studio, module }: SlicesFormProps) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const methods = useStore(studio.environment, (state) => state.methods);
  const library = useStore(studio.library, (state) => state.models) ?? [];
  const method = methods.find(({ id }) => id === recipe.method);
  const { slices = [], parameters } = recipe.modules?.[module] ?? recipe;
  const keys = modelKeys(recipe);
  const card = (name: string) => library.find((model) => model.name === name);
  const pattern = card(slices[0]?.sources[0]?.model ?? "");
  // Models of other depths can be stacked, so the number of layers is free.
  const fits = library.filter(
    (model) => isModel(model) && (!pattern || model.architecture === pattern.architecture),
  );
  const names = fits.map(({ name }) => name);
  const edit = (change: (before: readonly RecipeSlice[]) => readonly RecipeSlice[]) => {
    const changed = editSlices(recipe, module, change);
    studio.recipe.edit(method ? fillRequired(changed, method) : changed);
  };
  const verbsOf = (index: number): readonly Verb[] => {
    const move = (label: string, to: number): readonly Verb[] =>
      to < 0 || to >= slices.length
        ? []
        : [{ label, run: () => edit((before) => moveSlice(before, index, to)) }];
    const slice = slices[index]!;
    const used = slice.sources.map(({ model }) => model);
    const next = names.find((name) => !used.includes(name)) ?? used[0]!;
    const grow = (before: RecipeSlice) => addSource(before, next);
    return [
      ...((method?.models.max ?? 2) > 1
        ? [
            {
              label: "Merge another model here",
              run: () => edit((s) => changeSlice(s, index, grow)),
            },
          ]
        : []),
      ...used
        .filter((model) => model !== recipe.base && (method?.base ?? "none") !== "none")
        .map((model) => ({
          label: `Make ${model} the base`,
          run: () => studio.recipe.edit({ ...recipe, base: model }),
        })),
      { label: "Repeat it", run: () => edit((before) => before.toSpliced(index, 0, slice)) },
      ...move("Move up", index - 1),
      ...move("Move down", index + 1),
      ...(slices.length > 1
        ? [{ label: "Remove", run: () => edit((before) => before.toSpliced(index, 1)) }]
        : []),
    ];
  };
  let at = 0;
  return (
    <>
      <div className="slices" data-many={slices.length > MOST_OPEN || undefined}>
        {slices.map((slice, index) => {
          const [first, end] = slice.sources[0]?.layers ?? [0, 0];
          const place = formatLayers([at, at + end - first]);
          at += end - first;
          const inherited: Settings = { ...recipe.parameters, ...parameters, ...slice.parameters };
          const change = (changed: RecipeSlice) =>
            edit((before) => changeSlice(before, index, () => changed));
          return (
            <SliceCard
              key={sliceId(module, index)}
              id={sliceId(module, index)}
              slice={slice}
              place={place}
              names={names}
              colours={keysOfList(slice.sources).map((key) => modelColour(keys.indexOf(key)))}
              verbs={verbsOf(index)}
              folded={slices.length > MOST_OPEN}
              layersOf={(model) => card(model)?.layers ?? null}
              onChange={change}
              fields={(source) => (
                <OwnFields
                  studio={studio}
                  model={slice.sources[source]!}
                  modelKey={keysOfList(slice.sources)[source]!}
                  inherited={inherited}
                  onChange={(own) => change(changeSource(slice, source, { parameters: own }))}
                />
              )}
            />
          );
        })}
      </div>
      <AddModel
        label="Add layers of a model"
        models={fits}
        add={({ name, layers }) => edit((before) => addSlice(before, name, [0, layers ?? 1]))}
      />
    </>
  );
}
