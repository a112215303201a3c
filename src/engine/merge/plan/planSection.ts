import type { Finding } from "../../contract/index.ts";
import type { Resolved, Values } from "../method.ts";
import { resolveGlobal, resolveSettings } from "../recipe/resolve.ts";
import { arithmeticOf } from "./arithmetic.ts";
import { checkTogether } from "./checkModels.ts";
import { describeNonfiniteRows } from "./describeRows.ts";
import { outputDType } from "./dtypes.ts";
import type { Absence } from "./extras.ts";
import { gatherTensor } from "./gather.ts";
import type { OpenRequest, OpenSection } from "./openSections.ts";
import type { OutputTensor } from "./outputTensor.ts";
import { describeRecipe } from "./recipeFindings.ts";
import type { Sources } from "./sources.ts";

/** The template's tensors in its order, then everyone else's by name. */
function nameOutputs({ base, models, template }: Sources): readonly string[] {
  const names = new Set(template.checkpoint.tensors.keys());
  const others = [...(base ? [base] : []), ...models]
    .flatMap(({ checkpoint }) => [...checkpoint.tensors.keys()])
    .filter((name) => !names.has(name));
  return [...names, ...[...new Set(others)].sort()];
}

const NOTHING_RESOLVED: Resolved = { global: {}, models: [] };

/** Every output tensor of a section, what was found about it, and the parameters that hold for it. */
function planOutputs(section: OpenSection, global: Values) {
  const { sources, recipe } = section;
  const { method, template } = sources;
  const findings: Finding[] = [];
  const absences: Absence[] = [];
  const settings = { recipe, global };
  const outputs = nameOutputs(sources).flatMap((name): readonly OutputTensor[] => {
    const { findings: own, absence, action, ...tensor } = gatherTensor(name, sources, settings);
    for (const one of own) findings.push(one);
    if (absence) absences.push(absence);
    if (action === "leave out") return [];
    const about = { ...tensor, name, action, unit: method.unit?.(name, global) ?? name };
    if (action === "copy") {
      return [{ ...about, dtype: tensor.copyFrom!.dtype, resolved: NOTHING_RESOLVED }];
    }
    const nameIn = (model: number) => section.nameIn(model, name);
    const resolved = resolveSettings(method, recipe, name, section.positionOf(name), nameIn);
    checkTogether(method, resolved);
    const like = template.checkpoint.tensors.get(name) ?? tensor.base ?? tensor.models[0]!;
    const models = tensor.present.map((i) => resolved.models[i]!);
    const arithmetic = arithmeticOf(method, recipe, global, tensor);
    const dtype = outputDType(recipe, like);
    return [{ ...about, dtype, resolved: { ...resolved, models, arithmetic } }];
  });
  return { outputs, findings, absences };
}

/** A section's outputs and findings, which are numbered and named as those of the whole recipe. */
export function planSection(
  section: OpenSection,
  index: number,
  request: OpenRequest,
  keys: readonly string[],
) {
  const { method, details } = request;
  const { recipe, sources } = section;
  const global = resolveGlobal(method, recipe);
  checkTogether(method, { global, models: [] });
  const { outputs, findings, absences } = planOutputs(section, global);
  const indices = sources.models.map(({ key }) => keys.indexOf(key));
  return {
    absences,
    findings: [
      ...describeRecipe(method, recipe, outputs),
      ...(details ? describeNonfiniteRows(sources, recipe, outputs, details) : []),
      ...findings,
    ],
    outputs: outputs.map(
      (output): OutputTensor => ({
        ...output,
        present: output.present.map((i) => indices[i]!),
        unit: index === 0 ? output.unit : `${index}/${output.unit}`,
      }),
    ),
  };
}
