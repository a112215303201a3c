import { delMany, get, keys, set, type UseStore } from "idb-keyval";
import type { ModelId } from "../contract/index.ts";
import { type FactTable, selectionRule } from "./decide.ts";
import type { Facts } from "./method.ts";
import type { Plan } from "./plan.ts";

/** What was measured of a set of models, kept so that another granularity needs no second look. */
export interface FactStore {
  load(plan: Plan, ids: readonly ModelId[]): Promise<FactTable>;
  save(plan: Plan, ids: readonly ModelId[], facts: FactTable): Promise<void>;
  /** Forgets what concerns a model that is gone. */
  forget(id: ModelId): Promise<void>;
}

/** Facts of one rule over the tensors of some models; valid while the element counts agree. */
type Row = Readonly<
  Record<string, { readonly elementCount: number; readonly facts: readonly Facts[] }>
>;

/**
 * Every rule of the plan with the key of its row. What a method's constants come from is part of what
 * was measured: all parameters, for those rules that read any.
 */
function rowKeys(plan: Plan, ids: readonly ModelId[]): ReadonlyMap<string, string> {
  const { method, recipe } = plan;
  const asked = [recipe.parameters, recipe.models.map(({ parameters }) => parameters)];
  const rules = new Map<string, string>();
  const add = (rule: string | null, parameters: readonly unknown[]) => {
    if (rule !== null) rules.set(rule, JSON.stringify([rule, parameters, ids]));
  };
  add(method.reduce(plan.global), method.reduceConstants ? asked : []);
  add("agreement", []);
  for (const { resolved, action } of plan.outputs) {
    if (action !== "merge") continue;
    const selection = method.select?.(resolved) ?? null;
    add(selection && selectionRule(selection.rule), asked);
    add(method.elementShares?.(resolved) ?? null, asked);
  }
  return rules;
}

/** Facts in a store of the engine's database, one row per rule and set of models. */
export function createFactStore(store: UseStore): FactStore {
  return storeOf({
    get: (key) => get<Row>(key, store),
    set: (key, row) => set(key, row, store),
    keys: () => keys<string>(store),
    deleteMany: (gone) => delMany([...gone], store),
  });
}

/** Rows by key, wherever they lie. */
interface Rows {
  get(key: string): Promise<Row | undefined>;
  set(key: string, row: Row): Promise<void>;
  keys(): Promise<readonly string[]>;
  deleteMany(keys: readonly string[]): Promise<void>;
}

function storeOf(store: Rows): FactStore {
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

/** Facts for the life of a process, for a terminal: a map that is drawn after its merge needs them. */
export function factsInMemory(): FactStore {
  const rows = new Map<string, Row>();
  return storeOf({
    get: async (key) => rows.get(key),
    set: async (key, row) => void rows.set(key, row),
    keys: async () => [...rows.keys()],
    deleteMany: async (gone) => {
      for (const key of gone) rows.delete(key);
    },
  });
}
