import type { Checkpoint } from "../checkpoint.ts";
import { isHead, roleOf, type Stack } from "./role.ts";

/** Module of a model that is one stack, and of what lies outside the stacks of others. */
export const DEFAULT_MODULE = "default";

/** Stacks of the modules that recipes name, as mergekit 0.1.5 names them by architecture. */
const STACKS_OF: Readonly<Record<string, readonly Stack[]>> = {
  text_decoder: ["text", "draft"],
  vision_tower: ["vision"],
  vision_model: ["vision"],
  multi_modal_projector: ["projector"],
  encoder: ["encoder"],
  decoder: ["decoder"],
  shared: ["text"],
};

/** Part of a model that a recipe can name. */
export interface ModelModule {
  /** Names of its tensors. */
  readonly tensors: ReadonlySet<string>;
  /** Numbered list of its layers, `model.layers`; null where it has none. */
  readonly list: string | null;
  /** Lists that could be it, where there are several: `list` is null then. */
  readonly lists: readonly string[];
}

/** Stack of each numbered list of a model's layers. */
function listsOf(names: Iterable<string>): ReadonlyMap<string, Stack> {
  const lists = new Map<string, Stack>();
  for (const name of names) {
    const { list, stack } = roleOf(name);
    if (list !== null) lists.set(list, stack);
  }
  return lists;
}

/** Layers for multi-token prediction (MTP) are numbered beside a model's own. */
const isOwn = (stack: Stack) => stack !== "draft" && stack !== "projector";

/** Names of a model's modules: `default` alone where it is one stack of layers. */
export function moduleNames({ tensors }: Pick<Checkpoint, "tensors">): readonly string[] {
  const lists = listsOf(tensors.keys());
  const own = [...lists].filter(([, stack]) => isOwn(stack));
  if (own.length < 2) return [DEFAULT_MODULE];
  const has = (stack: Stack) => own.some(([, each]) => each === stack);
  if (has("encoder") && has("decoder")) return ["encoder", "decoder", "shared"];
  if (has("vision") && has("text"))
    return ["text_decoder", "multi_modal_projector", "vision_tower"];
  return [DEFAULT_MODULE, ...own.map(([list]) => list)];
}

/**
 * Module of a model by its name: one that mergekit names by architecture, `default`, or the numbered
 * list of a stack (`model.layers`), as mergekit calls what it does not know. Null where there is none.
 */
export function findModule(
  { tensors }: Pick<Checkpoint, "tensors">,
  module: string,
): ModelModule | null {
  const names = [...tensors.keys()];
  const lists = listsOf(names);
  const own = [...lists].filter(([, stack]) => isOwn(stack)).map(([list]) => list);
  const alone = own.length < 2;
  const stacks = Object.hasOwn(STACKS_OF, module) ? STACKS_OF[module]! : null;
  const belongs = (name: string): boolean => {
    const { list, stack } = roleOf(name);
    if (module === DEFAULT_MODULE) return alone || list === null;
    if (own.includes(module)) return name.startsWith(`${module}.`);
    return stacks?.includes(stack) ?? false;
  };
  const members = new Set(names.filter(belongs));
  if (members.size === 0) return null;
  const inside = [...listsOf(members).keys()];
  const candidates = inside.some((list) => own.includes(list))
    ? inside.filter((list) => own.includes(list))
    : inside;
  return {
    tensors: members,
    list: candidates.length === 1 ? candidates[0]! : null,
    lists: candidates,
  };
}

/** What comes before a model's layers: embeddings of tokens and positions, patches, their norms. */
const BEFORE =
  /embed|embd|(^|\.)(wte|wpe|emb)\.|rotary|relative_pe|patch|(^|[._])pre_?layr?norm|ln_pre|layernorm_pre|(^|\.)conv\d?\./i;

/** Whether a tensor outside the layers comes after them: final norm, pooler, head. */
export function followsLayers(tensor: string): boolean {
  return isHead(tensor) || !BEFORE.test(tensor);
}
