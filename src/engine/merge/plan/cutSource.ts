import { countLayersIn } from "../../checkpoint/tensorRoles/depth.ts";
import {
  DEFAULT_MODULE,
  findModule,
  type ModelModule,
  moduleNames,
} from "../../checkpoint/tensorRoles/modules.ts";
import { cutLayers, pickTensors } from "../../checkpoint/views/layers.ts";
import { EngineError, type LayerRange } from "../../contract/index.ts";
import type { Section } from "../recipe/sections.ts";
import type { Source } from "./sources.ts";

function refuse(message: string, source: Source): never {
  throw new EngineError("bad-recipe", message, { model: source.key });
}

const listed = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");

/** The module of a model that a section names, or `bad-recipe` with those that it has. */
function requireModule(source: Source, { module, place }: Section): ModelModule {
  const names = moduleNames(source.checkpoint);
  if (module === null && names.length > 1) {
    refuse(
      `"${source.key}" has several stacks of layers, so that "slices" do not say which they cut: state them under "modules", which are ${listed(names)}.`,
      source,
    );
  }
  const found = findModule(source.checkpoint, module ?? DEFAULT_MODULE);
  if (!found) refuse(`"${source.key}" has no module "${module}"; it has ${listed(names)}.`, source);
  if (place && found.lists.length > 1) {
    const lists = listed(found.lists);
    refuse(
      `"${source.key}" has several numbered lists (${lists}), of which slices cannot tell the layers.`,
      source,
    );
  }
  return found;
}

/** A model as a section sees it. */
export interface CutSource {
  readonly source: Source;
  /** Numbered list that a slice cuts, `model.layers`; null where the section is no slice. */
  readonly list: string | null;
}

/**
 * View of a model with a section's tensors alone, its layers under the result's numbers. `bad-recipe`
 * for a module or for layers that the model does not have.
 */
export function cutSource(source: Source, section: Section, range: LayerRange | null): CutSource {
  const { module, place } = section;
  if (module === null && !place) return { source, list: null };
  const { tensors, list } = requireModule(source, section);
  const picked = pickTensors(source.checkpoint, tensors);
  if (!place || !range) return { source: { ...source, checkpoint: picked }, list: null };
  const count = countLayersIn(picked, list);
  if (range[1] > count) {
    refuse(
      `A slice takes layers ${range[0]} to ${range[1] - 1} of "${source.key}", which has ${count} layers: "layer_range" may end at ${count} at most.`,
      source,
    );
  }
  const { at, first: before, last: after } = place;
  const checkpoint = cutLayers(picked, { list, range, at, before, after });
  return { source: { ...source, checkpoint }, list };
}
