import { useStore } from "zustand";
import type { RecipeModel, Settings } from "../../../engine/contract/index.ts";
import type { Studio } from "../../stores/studio.ts";
import { withSetting } from "./edits.ts";
import { ParamField } from "./ParamField.tsx";

interface OwnFieldsProps {
  readonly studio: Studio;
  readonly model: RecipeModel;
  /** Key of the model in results. */
  readonly modelKey: string;
  /** Values that hold where the model states none. */
  readonly inherited: Settings;
  readonly onChange: (parameters: Settings) => void;
}

/** The method's parameters that each model has of its own; its shares are the map's to set. */
export function OwnFields({ studio, model, modelKey, inherited, onChange }: OwnFieldsProps) {
  const id = useStore(studio.recipe, (state) => state.recipe.method);
  const methods = useStore(studio.environment, (state) => state.methods);
  const curves = useStore(studio.forecast, (state) => state.curves);
  const method = methods.find((card) => card.id === id);
  const params = method?.params.filter(
    ({ scope, name, required }) => scope === "model" && (required || name !== method.override),
  );
  return params?.map((param) => (
    <ParamField
      key={param.name}
      param={param}
      owner={model.model}
      value={model.parameters[param.name] ?? inherited[param.name]}
      curves={curves.filter((curve) => curve.parameter === param.name && curve.model === modelKey)}
      onChange={(value) => onChange(withSetting(model.parameters, param.name, value))}
    />
  ));
}
