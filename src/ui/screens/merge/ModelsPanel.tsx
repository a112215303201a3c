import { useStore } from "zustand";
import {
  keysOfList,
  modelKeys,
  namedModels,
  type RecipeInputs,
  type RecipeModule,
} from "../../../engine/contract/index.ts";
import { Section } from "../../parts/Section.tsx";
import { isCompatible, isModel } from "../../stores/compatible.ts";
import { onlyList } from "../../stores/recipeLists.ts";
import type { Studio } from "../../stores/studio.ts";
import { BASE_COLOUR, modelColour } from "../../theme/colours.ts";
import {
  formatArchitecture,
  formatPercent,
  formatQuantity,
  formatShare,
} from "../../theme/format.ts";
import { AddModel } from "./AddModel.tsx";
import { addModel, chooseBase, dropBase, removeModel, withParameters } from "./edits.ts";
import { ModelChip } from "./ModelChip.tsx";
import { OwnFields } from "./OwnFields.tsx";
import { SlicesForm } from "./SlicesForm.tsx";

/** The base and the models as chips in their colours, or the slices that layers of them make. */
export function ModelsPanel({ studio }: { readonly studio: Studio }) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const library = useStore(studio.library, (state) => state.models) ?? [];
  const methods = useStore(studio.environment, (state) => state.methods);
  const method = methods.find(({ id }) => id === recipe.method);
  const names = namedModels(recipe);
  const pattern = library.find(({ name }) => name === names[0]);
  const free = library.filter(
    (model) =>
      !names.includes(model.name) && isModel(model) && (!pattern || isCompatible(model, pattern)),
  );
  const edit = studio.recipe.edit;
  const facts = useFacts(studio);
  const parts: readonly (RecipeInputs & Partial<RecipeModule>)[] = recipe.modules ?? [recipe];
  return (
    <Section title="Models">
      {recipe.base !== undefined && (
        <ModelChip
          name={recipe.base}
          colour={BASE_COLOUR}
          tag="base"
          facts={facts(recipe.base)}
          verbs={
            method?.base === "required"
              ? []
              : [{ label: "Merge it as a model", run: () => edit(dropBase(recipe, method)) }]
          }
        />
      )}
      {parts.map(({ name, slices }, part) => (
        <div key={name ?? ""} className="models-part">
          {name !== undefined && <h3 className="small mono">{name}</h3>}
          {slices ? (
            <SlicesForm studio={studio} module={part} />
          ) : (
            <WholeModels studio={studio} module={part} />
          )}
        </div>
      ))}
      {!recipe.modules && !recipe.slices && (
        <AddModel
          label="Add a model, or drop a folder anywhere"
          models={free}
          add={({ name }) => edit(addModel(recipe, name, method))}
        />
      )}
    </Section>
  );
}

/** What the library says about a model; null where it has none of the name, and no stage makes it. */
function useFacts(studio: Studio): (name: string) => string | null {
  const stages = useStore(studio.recipe, (state) => state.recipe.stages);
  const library = useStore(studio.library, (state) => state.models);
  return (name) => {
    const stage = stages?.find((each) => each.name === name);
    if (stage) return `made by this recipe · ${stage.recipe.method}`;
    const model = library?.find((card) => card.name === name);
    if (!model) return null;
    const dtype = model.dtypes[0]?.toLowerCase() ?? "";
    return `${formatQuantity(model.parameters)} · ${formatArchitecture(model.architecture)} · ${dtype}`;
  };
}

interface WholeModelsProps {
  readonly studio: Studio;
  /** Index of the module; 0 where the recipe has none. */
  readonly module: number;
}

/** Models that are merged from their first layer to their last. */
function WholeModels({ studio, module }: WholeModelsProps) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const summary = useStore(studio.forecast, (state) => state.map?.summary);
  const methods = useStore(studio.environment, (state) => state.methods);
  const method = methods.find(({ id }) => id === recipe.method);
  const facts = useFacts(studio);
  const edit = studio.recipe.edit;
  const { models, parameters } = recipe.modules?.[module] ?? recipe;
  const own = keysOfList(models);
  const keys = modelKeys(recipe);
  const before = recipe.modules?.slice(0, module) ?? [];
  const list = before.reduce((count, { slices }) => count + (slices?.length ?? 1), 0);
  const moved = (index: number) => {
    const { change, cosine } = summary?.[index] ?? { change: null, cosine: null };
    if (change === null) return null;
    const towards =
      cosine === null ? "" : ` · cosine to others ${formatShare(cosine).slice(0, -1)}`;
    return `Δ ${formatPercent(change)}${towards}`;
  };
  const verbs = (index: number) => [
    ...(method?.base === "none"
      ? []
      : [{ label: "Make it the base", run: () => edit(chooseBase(recipe, index)) }]),
    { label: "Remove", run: () => edit(removeModel(recipe, index)) },
  ];
  return models.map((entry, index) => {
    const place = keys.indexOf(own[index]!);
    const said = facts(entry.model);
    return (
      <ModelChip
        key={own[index]}
        name={entry.model}
        colour={modelColour(place)}
        facts={said && (moved(place) ?? said)}
        verbs={onlyList(recipe) ? verbs(index) : []}
      >
        <OwnFields
          studio={studio}
          model={entry}
          modelKey={own[index]!}
          inherited={{ ...recipe.parameters, ...parameters }}
          onChange={(changed) => edit(withParameters(recipe, [list, index], changed))}
        />
      </ModelChip>
    );
  });
}
