import { Button, Menu } from "@mantine/core";
import { useStore } from "zustand";
import { modelKeys } from "../../../engine/contract/index.ts";
import { Section } from "../../parts/Section.tsx";
import { COMMANDS } from "../../stores/commands.ts";
import { isCompatible } from "../../stores/compatible.ts";
import type { Studio } from "../../stores/studio.ts";
import { BASE_COLOUR, modelColour } from "../../theme/colours.ts";
import {
  formatArchitecture,
  formatPercent,
  formatQuantity,
  formatShare,
} from "../../theme/format.ts";
import { addModel, chooseBase, dropBase, removeModel, withSetting } from "./edits.ts";
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
  const used = new Set([recipe.base, ...recipe.models.map(({ model }) => model)]);
  const pattern = card(recipe.base ?? recipe.models[0]?.model ?? "");
  const free = library.filter(
    (model) =>
      !used.has(model.name) &&
      model.state === "complete" &&
      (!pattern || isCompatible(model, pattern)),
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
      {recipe.models.map(({ model, parameters }, index) => (
        <ModelChip
          key={keys[index]}
          name={model}
          colour={modelColour(index)}
          facts={facts(model) && (moved(index) ?? facts(model))}
          verbs={[
            ...(method?.base === "none"
              ? []
              : [{ label: "Make it the base", run: () => edit(chooseBase(recipe, index)) }]),
            { label: "Remove", run: () => edit(removeModel(recipe, index)) },
          ]}
        >
          {params.map((param) => (
            <ParamField
              key={param.name}
              param={param}
              owner={model}
              value={parameters[param.name] ?? recipe.parameters[param.name]}
              onChange={(value) => {
                const changed = withSetting(parameters, param.name, value);
                const models = recipe.models.map((entry, at) =>
                  at === index ? { ...entry, parameters: changed } : entry,
                );
                edit({ ...recipe, models });
              }}
            />
          ))}
        </ModelChip>
      ))}
      <Menu position="bottom-start" width={268}>
        <Menu.Target>
          <Button variant="subtle" size="compact-sm">
            Add a model, or drop a folder anywhere
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {free.map(({ id, name }) => (
            <Menu.Item key={id} onClick={() => edit(addModel(recipe, name, method))}>
              {name}
            </Menu.Item>
          ))}
          {free.length > 0 && <Menu.Divider />}
          <Menu.Item onClick={() => COMMANDS.addFolder.run()}>{COMMANDS.addFolder.label}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Section>
  );
}
