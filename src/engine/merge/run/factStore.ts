import { delMany, get, keys, set, type UseStore } from "idb-keyval";
import type { ModelId } from "../../contract/index.ts";
import type { Facts } from "../method.ts";
import type { Plan } from "../plan/outputTensor.ts";
import { type FactTable, selectionRule } from "./decide.ts";

/** What was measured of a set of models, kept so that another granularity needs no second look. */
export interface FactStore {
  load(plan: Plan, ids: readonly ModelId[]): Promise<FactTable>;
  save(plan: Plan, ids: readonly ModelId[], facts: FactTable): Promise<void>;
  /** Forgets what concerns a model that is gone. */
  forget(id: ModelId): Promise<void>;
}

/** Facts of one rule over the tensors of some models; valid while the element counts agree. */
export type FactRow = Readonly<
  Record<string, { readonly elementCount: number; readonly facts: readonly Facts[] }>
>;

/**
 * Every rule of the plan with the key of its row. What a rule's constants come from is part of what
 * was measured: for those rules that read any the method, what its models are called, all parameters.
 */
function rowKeys(plan: Plan, ids: readonly ModelId[]): ReadonlyMap<string, string> {
  const { method, recipe } = plan;
  const ofModels = recipe.models.map(({ parameters }) => parameters);
  const asked = [method.id, plan.keys, recipe.parameters, ofModels];
  const rules = new Map<string, string>();
  const add = (rule: string | null, parameters: readonly unknown[]) => {
    if (rule !== null) rules.set(rule, JSON.stringify([rule, parameters, ids]));
  };
  add("agreement", []);
  for (const { resolved, action } of plan.outputs) {
    if (action !== "merge") continue;
    add(method.reduce(resolved), method.reduceConstants ? asked : []);
    const selection = method.select?.(resolved) ?? null;
    add(selection && selectionRule(selection.rule), asked);
    add(method.elementShares?.(resolved) ?? null, asked);
  }
  return rules;
}

/** Facts in a store of the engine's database, one row per rule and set of models. */
export function createFactStore(store: UseStore): FactStore {
  return storeFacts({
    get: (key) => get<FactRow>(key, store),
    set: (key, row) => set(key, row, store),
    keys: () => keys<string>(store),
    deleteMany: (gone) => delMany([...gone], store),
  });
}

/** Rows by key, wherever they lie; they are plain JSON. */
export interface FactRows {
  get(key: string): Promise<FactRow | undefined>;
  set(key: string, row: FactRow): Promise<void>;
  keys(): Promise<readonly string[]>;
  deleteMany(keys: readonly string[]): Promise<void>;
}

/** Facts in rows. */
export function storeFacts(store: FactRows): FactStore {
  return {
    async load(plan, ids) {
      const outputs = new Map(plan.outputs.map((output) => [output.name, output]));
      const table = new Map<string, ReadonlyMap<string, readonly Facts[]>>();
      for (const [rule, key] of rowKeys(plan, ids)) {
        const row = (await store.get(key)) ?? {};
        const usable = Object.entries(row).filter(([tensor, { elementCount, facts }]) => {
          const output = outputs.get(tensor);
          return output?.elementCount === elementCount && output.models.length === facts.length;
        });
        table.set(rule, new Map(usable.map(([tensor, { facts }]) => [tensor, facts])));
      }
      return table;
    },
    async save(plan, ids, facts) {
      const counts = new Map(plan.outputs.map(({ name, elementCount }) => [name, elementCount]));
      for (const [rule, key] of rowKeys(plan, ids)) {
        const measured = [...(facts.get(rule) ?? [])].flatMap(([tensor, sums]) => {
          const elementCount = counts.get(tensor);
          return elementCount === undefined
            ? []
            : [[tensor, { elementCount, facts: sums }] as const];
        });
        if (measured.length > 0) await store.set(key, Object.fromEntries(measured));
      }
    },
    async forget(id) {
      const all = await store.keys();
      await store.deleteMany(
        all.filter((key) => (JSON.parse(key)[2] as readonly ModelId[]).includes(id)),
      );
    },
  };
}
