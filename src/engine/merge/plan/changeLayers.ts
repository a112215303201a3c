import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { type ConfigField, configFields, joinItems, splitItems } from "../../checkpoint/config.ts";
import { countLayersIn } from "../../checkpoint/tensorRoles/depth.ts";
import { roleOf } from "../../checkpoint/tensorRoles/role.ts";
import type { OpenSection, OpenSlice } from "./openSections.ts";

/** Keys of a config that count the layers of a stack, and the objects in which it stands. */
interface Scope {
  readonly paths: readonly string[];
  readonly keys: readonly string[];
}

const TEXT: Scope = {
  paths: ["", "text_config"],
  keys: ["num_hidden_layers", "n_layer", "num_layers", "n_layers"],
};
const VISION: Scope = { paths: ["vision_config"], keys: [...TEXT.keys, "depth"] };
/** T5's `num_layers` counts the encoder's. */
const ENCODER: Scope = {
  paths: [""],
  keys: ["encoder_layers", "num_encoder_layers", "num_layers"],
};
const DECODER: Scope = { paths: [""], keys: ["decoder_layers", "num_decoder_layers"] };

/** Lists with an entry for each layer: `layer_types`, `num_key_value_heads` of OpenELM. */
const BY_LAYER = /layer|block|attention|attn|mlp|ffn|expert|heads|intermediate|sparsity|window/;
/** Lists of the numbers of layers. */
const NUMBERS_OF_LAYERS =
  /^(mlp_only_layers|moe_layers|full_attn_idxs|global_attn_idxs|cross_attention_layers|attn_layer_indices)$/;

function scopeOf(module: string | null, list: string | null): Scope {
  if (module === "encoder") return ENCODER;
  if (module === "decoder") return DECODER;
  return list !== null && roleOf(list).stack === "vision" ? VISION : TEXT;
}

/** Entries of a list with one for each layer, taken as the slices take layers; null where one lacks. */
function cutByLayer(slices: readonly OpenSlice[], itemsIn: ItemsIn): readonly string[] | null {
  const parts = slices.map(({ model, range: [first, end] }) => {
    const items = itemsIn(model);
    return items && items.length >= end ? items.slice(first, end) : null;
  });
  return parts.every((part) => part !== null) ? parts.flat() : null;
}

/** Numbers of layers, as the slices number them. */
function renumber(slices: readonly OpenSlice[], itemsIn: ItemsIn): readonly string[] {
  return slices.flatMap(({ model, range: [first, end], at }) => {
    const own = (itemsIn(model) ?? []).map(Number);
    return own.filter((n) => n >= first && n < end).map((n) => String(n - first + at));
  });
}

/** Entries of one list of a config; null where a checkpoint's config has none. */
type ItemsIn = (checkpoint: Checkpoint) => readonly string[] | null;

function changeList(
  field: ConfigField,
  slices: readonly OpenSlice[],
  { template, depths }: { readonly template: Checkpoint; readonly depths: readonly number[] },
): readonly ConfigField[] {
  const itemsOf = ({ config }: Checkpoint) => {
    const same =
      config &&
      configFields(config).find(({ path, key }) => {
        return path === field.path && key === field.key;
      });
    return same ? splitItems(same.json) : null;
  };
  const own = splitItems(field.json);
  if (!own) return [];
  const itemsIn: ItemsIn = (checkpoint) => itemsOf(checkpoint) ?? itemsOf(template);
  const numbers = NUMBERS_OF_LAYERS.test(field.key);
  if (!numbers && !(BY_LAYER.test(field.key) && depths.includes(own.length))) return [];
  const items = numbers ? renumber(slices, itemsIn) : cutByLayer(slices, itemsIn);
  return items && items.join() !== own.join()
    ? [{ ...field, json: joinItems(items, field.json) }]
    : [];
}

/**
 * Fields of the result's config.json that slices change: the number of layers under all its names,
 * and lists that follow the layers, each layer's entry from the config that the layer comes from.
 */
export function changeLayers(
  sections: readonly OpenSection[],
  template: Checkpoint,
): readonly ConfigField[] {
  const { config } = template;
  if (!config) return [];
  const sliced = sections.filter(({ slice }) => slice !== null);
  const modules = [...new Set(sliced.map(({ module }) => module))];
  return modules.flatMap((module) => {
    const slices = sliced.flatMap((each) => (each.module === module ? [each.slice!] : []));
    const list = slices[0]!.list;
    const count = slices.reduce((sum, slice) => sum + slice.count, 0);
    const { paths, keys } = scopeOf(module, list);
    const fields = configFields(config).filter(({ path }) => paths.includes(path));
    const stated = fields.filter(({ key, json }) => keys.includes(key) && /^\d+$/.test(json));
    const changed = stated.filter(({ json }) => Number(json) !== count);
    const depths = [countLayersIn(template, list), ...stated.map(({ json }) => Number(json))];
    const added = stated.length === 0 && paths === TEXT.paths && depths[0] !== count;
    return [
      ...changed.map((field): ConfigField => ({ ...field, json: String(count) })),
      ...(added ? [{ path: "", key: "num_hidden_layers", json: String(count) }] : []),
      ...fields.flatMap((field) => changeList(field, slices, { template, depths })),
    ];
  });
}
