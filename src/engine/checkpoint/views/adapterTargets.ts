import { EngineError } from "../../contract/index.ts";
import { clip } from "../../core/json.ts";
import type { Adapter, LowRankModule, TrainedRows } from "../adapters/adapter.ts";
import { fusedAround, partsOfFused, startInFused } from "../adapters/fusedModules.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { findEmbedding, findHead, isTied } from "../tensorRoles/head.ts";
import { matchNames } from "../tensorRoles/layouts.ts";
import { headBeside, isHead } from "../tensorRoles/role.ts";

/** Some outputs of an adapter's module, and where they lie in a tensor of the base. */
export interface TargetOutputs {
  readonly module: LowRankModule;
  /** First of the module's outputs, and their number. */
  readonly first: number;
  readonly count: number;
  /** Place of the first among the tensor's outputs. */
  readonly at: number;
}

/** What an adapter does to one tensor of its base. */
export interface TensorChange {
  /** The base's tensor; the embedding for a head that was tied to it. */
  readonly base: CheckpointTensor;
  replaced: CheckpointTensor | null;
  /** Of a weight, factors; of a bias, those of B. */
  readonly outputs: TargetOutputs[];
  readonly rows: TrainedRows[];
}

/** Changes by tensor, a head of its own among them where it stops being tied. */
export type Changes = ReadonlyMap<string, TensorChange>;

/**
 * Finds the tensors that an adapter changes: under their names, under those of another layout of the
 * same model, as parts of a fused module, or as the parts of one. Errors: `missing-tensor` for what
 * the base lacks, `bad-shape` where parts do not make up a fused module.
 */
export function findChanges(adapter: Adapter, base: Checkpoint): Changes {
  const changes = new Map<string, TensorChange>();
  const find = finder(adapter, base);
  const tied = isTied(base) && findHead(base) === null ? findEmbedding(base) : null;
  const change = (wanted: string, why: string): TensorChange => {
    const name = find(wanted) ?? wanted;
    const tensor = base.tensors.get(name) ?? (isHead(name) ? tied : null);
    if (!tensor) throw lacking(adapter, base, why);
    const found = changes.get(name) ?? { base: tensor, replaced: null, outputs: [], rows: [] };
    changes.set(name, found);
    return found;
  };
  for (const [name, tensor] of adapter.replaced) change(name, name).replaced = tensor;
  for (const rows of adapter.rows) change(`${rows.module}.weight`, rows.module).rows.push(rows);
  for (const module of adapter.modules) {
    for (const { target, ...place } of locate(adapter, module, base, find)) {
      change(`${target}.weight`, module.module).outputs.push({ module, ...place });
      if (module.bias)
        change(`${target}.bias`, `${target}.bias`).outputs.push({ module, ...place });
    }
  }
  if (tied) untie(changes, tied);
  return changes;
}

/**
 * A tied head keeps the values that it was trained with: a copy of the embedding in the base. PEFT
 * merges into both, which are one tensor there, and so changes what the adapter computes.
 */
function untie(changes: Map<string, TensorChange>, embedding: CheckpointTensor): void {
  const { replaced = null, outputs = [] } = changes.get(embedding.name) ?? {};
  if (!replaced && outputs.length === 0) return;
  if ([...changes.keys()].some(isHead)) return;
  // A saved `base_layer` is the embedding as both used it, such as one of more tokens.
  const start = replaced?.name.includes(".base_layer.") ? replaced : null;
  const head = { base: embedding, replaced: start, outputs: [], rows: [] };
  changes.set(headBeside(embedding.name), head);
}

type Find = (name: string) => string | null;

/** Finds the base's name of a tensor that the adapter names in its own layout. */
function finder(adapter: Adapter, base: Checkpoint): Find {
  const own = new Set(base.tensors.keys());
  const asked = new Set(adapter.replaced.keys());
  for (const { module } of [...adapter.modules, ...adapter.rows]) {
    const alike = [...fusedAround(module).map(({ whole }) => whole), ...partsOfFused(module)];
    for (const each of [module, ...alike]) asked.add(`${each}.weight`).add(`${each}.bias`);
  }
  const matched = matchNames(own, asked);
  return (name) => (own.has(name) ? name : (matched.get(name) ?? null));
}

type Place = Omit<TargetOutputs, "module"> & { readonly target: string };

/** The modules of the base that a module of the adapter changes. */
function locate(
  adapter: Adapter,
  module: LowRankModule,
  base: Checkpoint,
  find: Find,
): readonly Place[] {
  const { module: name, outputs } = module;
  const rowsOf = (target: string) => {
    const found = find(`${target}.weight`);
    return found === null ? null : (base.tensors.get(found)!.shape[0] ?? 0);
  };
  const direct = [{ target: name, first: 0, count: outputs, at: 0 }];
  if (rowsOf(name) !== null) return direct;
  for (const part of fusedAround(name)) {
    const total = rowsOf(part.whole);
    if (total === null) continue;
    const at = startInFused(part, outputs, total);
    if (at === null) throw uneven(adapter, base, name, outputs, part.whole, total);
    return [{ target: part.whole, first: 0, count: outputs, at }];
  }
  const parts = partsOfFused(name);
  const counts = parts.map(rowsOf);
  if (parts.length === 0 || counts.includes(null)) return direct;
  const total = (counts as number[]).reduce((sum, count) => sum + count, 0);
  if (total !== outputs) throw uneven(adapter, base, name, outputs, parts.join(", "), total);
  let first = 0;
  return parts.map((target, i) => {
    const count = counts[i]!;
    first += count;
    return { target, first: first - count, count, at: 0 };
  });
}

function lacking(adapter: Adapter, base: Checkpoint, module: string): EngineError {
  const { base: stated } = adapter.config;
  const trained =
    stated === null ? "It does not say what it was trained on" : `It was trained on ${stated}`;
  return new EngineError(
    "missing-tensor",
    `The adapter ${adapter.name} changes ${clip(module)}, which ${base.name} does not have. ${trained}: name that model before the "+".`,
    { model: base.name, adapter: adapter.name, module: module.slice(0, 120) },
  );
}

function uneven(
  adapter: Adapter,
  base: Checkpoint,
  module: string,
  outputs: number,
  target: string,
  total: number,
): EngineError {
  return new EngineError(
    "bad-shape",
    `${clip(module)} of the adapter ${adapter.name} has ${outputs} outputs, which do not fit the ${total} of ${clip(target)} in ${base.name}. They are of different models.`,
    { model: base.name, adapter: adapter.name, module: module.slice(0, 120), outputs, total },
  );
}
