import { Button, Menu } from "@mantine/core";
import { useStore } from "zustand";
import {
  keysOfList,
  type ModelCard,
  modelKeys,
  namedModels,
  sourceLists,
} from "../../../engine/contract/index.ts";
import { Section } from "../../parts/Section.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import { isCompatible, isModel } from "../../stores/compatible.ts";
import { listTitles, onlyList } from "../../stores/recipeLists.ts";
import type { Studio } from "../../stores/studio.ts";
import { BASE_COLOUR, modelColour } from "../../theme/colours.ts";
import {
  formatArchitecture,
  formatPercent,
  formatQuantity,
  formatShare,
} from "../../theme/format.ts";
import {
  addModel,
  chooseBase,
  dropBase,
  removeModel,
  withParameters,
  withSetting,
} from "./edits.ts";
import { ModelChip } from "./ModelChip.tsx";
import { ParamField } from "./ParamField.tsx";

/** The base and the models as chips in their colours, with their own parameters. */
export function ModelsPanel({ studio }: { readonly studio: Studio }) {
  const recipe = useStore(studio.recipe, (state) => state.recipe);
  const summary = useStore(studio.forecast, (state) => state.map?.summary);
  const library = useStore(studio.library, (state) => state.models) ?? [];
  const methods = useStore(studio.environment, (state) => state.methods);
  const method = methods.find(({ id }) => id === recipe.method);
  const card = (name: string) => library.find((model) => model.name === name);
  const names = namedModels(recipe);
  const used = new Set(names);
  const pattern = card(names[0] ?? "");
  const free = library.filter(
    (model) =>
      !used.has(model.name) && isModel(model) && (!pattern || isCompatible(model, pattern)),
  );
  const params =
    method?.params.filter(
      ({ scope, name, required }) => scope === "model" && (required || name !== method.override), // the map sets that one
    ) ?? [];
  const keys = modelKeys(recipe);
  const edit = studio.recipe.edit;
  const facts = (name: string) => {
    const model = card(name);
    if (!model) return null;
    const dtype = model.dtypes[0]?.toLowerCase() ?? "";
    return `${formatQuantity(model.parameters)} · ${formatArchitecture(model.architecture)} · ${dtype}`;
  };
  const moved = (index: number) => {
    const { change, cosine } = summary?.[index] ?? { change: null, cosine: null };
    if (change === null) return null;
    const towards =
      cosine === null ? "" : ` · cosine to others ${formatShare(cosine).slice(0, -1)}`;
    return `Δ ${formatPercent(change)}${towards}`;
  };
  const alone = onlyList(recipe) !== null;
  const titles = listTitles(recipe);
  const tagOf = (list: number) => (titles[list] === undefined ? {} : { tag: titles[list] });
  const verbs = (index: number) => [
    ...(method?.base === "none"
      ? []
      : [{ label: "Make it the base", run: () => edit(chooseBase(recipe, index)) }]),
    { label: "Remove", run: () => edit(removeModel(recipe, index)) },
  ];
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
      {sourceLists(recipe).map((models, list) => {
        const own = keysOfList(models);
        return models.map(({ model, parameters }, index) => (
          <ModelChip
            key={`${list} ${own[index]}`}
            name={model}
            colour={modelColour(keys.indexOf(own[index]!))}
            {...tagOf(list)}
            facts={facts(model) && (moved(keys.indexOf(own[index]!)) ?? facts(model))}
            verbs={alone ? verbs(index) : []}
          >
            {params.map((param) => (
              <ParamField
                key={param.name}
                param={param}
                owner={model}
                value={parameters[param.name] ?? recipe.parameters[param.name]}
                onChange={(value) =>
                  edit(
                    withParameters(
                      recipe,
                      [list, index],
                      withSetting(parameters, param.name, value),
                    ),
                  )
                }
              />
            ))}
          </ModelChip>
        ));
      })}
      {alone && <AddModel free={free} add={(name) => edit(addModel(recipe, name, method))} />}
    </Section>
  );
}

interface AddModelProps {
  readonly free: readonly ModelCard[];
  add(name: string): void;
}

/** The models of the library that fit beside those of the recipe. */
function AddModel({ free, add }: AddModelProps) {
  return (
    <Menu position="bottom-start" width={268}>
      <Menu.Target>
        <Button variant="subtle" size="compact-sm">
          Add a model, or drop a folder anywhere
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {free.map(({ id, name }) => (
          <Menu.Item key={id} onClick={() => add(name)}>
            {name}
          </Menu.Item>
        ))}
        {free.length > 0 && <Menu.Divider />}
        <Menu.Item onClick={() => COMMANDS.addFolder.run()}>{COMMANDS.addFolder.label}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
