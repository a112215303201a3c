import { delMany, get, keys, set, type UseStore } from "idb-keyval";
import { type ModelId, sourceLists } from "../../contract/index.ts";
import type { Cut, Facts } from "../method.ts";
import type { OutputTensor, Plan } from "../plan/outputTensor.ts";
import { hasSlices } from "../recipe/sections.ts";
import { type Measured, note } from "./measured.ts";
import { ownRule, partOf, partShares, reductionOf } from "./rules.ts";

/**
 * Store of measured sums and cuts by set of models, so that another recipe over them need not
 * measure again.
 */
export interface FactStore {
  load(plan: Plan, ids: readonly ModelId[]): Promise<Measured>;
  save(plan: Plan, ids: readonly ModelId[], measured: Measured): Promise<void>;
  /** Deletes everything measured of a deleted model. */
  forget(id: ModelId): Promise<void>;
}

/** Stored sums or cuts of a tensor; valid while its element count is the same. */
type Stored =
  | { readonly elementCount: number; readonly facts: readonly Facts[] }
  | { readonly elementCount: number; readonly cuts: readonly (readonly Cut[])[] };

/** What one rule measured: sums or cuts by tensor. */
export type FactRow = Readonly<Record<string, Stored>>;

/** A rule of a plan, the key of its stored row, and its number of rows of sums for a tensor. */
interface RuleRow {
  readonly kind: "facts" | "cuts";
  readonly rule: string;
  readonly key: string;
  rows(output: OutputTensor): number;
}

const perModel = ({ models }: OutputTensor) => models.length;

/**
 * Rules of a plan with their keys. The key of a rule with constants includes what the constants
 * depend on: method, models' names and all parameters.
 */
function ruleRows(plan: Plan, ids: readonly ModelId[]): readonly RuleRow[] {
  const { method, recipe } = plan;
  const lists = sourceLists(recipe);
  const ofModels = lists.flat().map(({ parameters }) => parameters);
  const asked = [method.id, plan.keys, recipe.parameters, ofModels, recipe.dtype ?? null];
  const inputs = [
    ids,
    ...(recipe.fillNanRows ? ["rows filled"] : []),
    // A tensor of the result then lies elsewhere in the models.
    ...(hasSlices(recipe) ? [recipe.slices ?? recipe.modules] : []),
    // Rows of tokens then come from one model or several, in the order of another vocabulary.
    ...(recipe.tokenizer ? [recipe.tokenizer, recipe.base ?? null, recipe.dtype ?? null] : []),
  ];
  const rows = new Map<string, RuleRow>();
  const add = (rule: string, parameters: readonly unknown[], count = perModel) => {
    const key = JSON.stringify([rule, parameters, ...inputs]);
    rows.set(key, { kind: "facts", rule, key, rows: count });
  };
  add("agreement", []);
  for (const output of plan.outputs) {
    if (output.action !== "merge") continue;
    const reduction = reductionOf(plan, output);
    if (reduction && partOf(plan, output) === "tensor") {
      const blended = method.blendsBase ? ["base blended"] : [];
      const rounding = method.roundsSteps
        ? [method.id, plan.global.profile ?? null, recipe.dtype ?? null]
        : [];
      const constants = method.reduceConstants ? asked : [...blended, ...rounding];
      add(reduction.rule, constants, (of) => ownRule(plan, of, reduction, []).rows);
    } else if (reduction) {
      add(partShares(reduction), asked);
    }
    const selection = method.select?.(output.resolved) ?? null;
    if (selection) {
      const key = JSON.stringify([`score/${selection.rule}`, asked, ...inputs]);
      rows.set(key, { kind: "cuts", rule: selection.rule, key, rows: perModel });
    }
    const shares = method.elementShares?.(output.resolved) ?? null;
    if (shares !== null) add(shares, asked);
  }
  return [...rows.values()];
}

/**
 * Cuts in their stored form; earlier versions stored each as a row of sums (bits, before, kept).
 */
function readCuts(stored: Stored): readonly (readonly Cut[])[] {
  if ("cuts" in stored) return stored.cuts;
  return stored.facts.map(([bits, before, kept]) => [{ bits, before, kept }]);
}

/** Fact store in an object store of the engine's database, one row per rule and set of models. */
export function createFactStore(store: UseStore): FactStore {
  return storeFacts({
    get: (key) => get<FactRow>(key, store),
    set: (key, row) => set(key, row, store),
    keys: () => keys<string>(store),
    deleteMany: (gone) => delMany([...gone], store),
  });
}

/** Fact store that lasts as long as its owner. */
export function factsInMemory(rows = new Map<string, FactRow>()): FactStore {
  return storeFacts({
    get: async (key) => rows.get(key),
    set: async (key, row) => void rows.set(key, row),
    keys: async () => [...rows.keys()],
    deleteMany: async (gone) => {
      for (const key of gone) rows.delete(key);
    },
  });
}

/** Rows of plain JSON by key. */
export interface FactRows {
  get(key: string): Promise<FactRow | undefined>;
  set(key: string, row: FactRow): Promise<void>;
  keys(): Promise<readonly string[]>;
  deleteMany(keys: readonly string[]): Promise<void>;
}

/** Fact store over such rows. */
export function storeFacts(store: FactRows): FactStore {
  return {
    async load(plan, ids) {
      const outputs = new Map(plan.outputs.map((output) => [output.name, output]));
      const facts = new Map<string, Map<string, readonly Facts[]>>();
      const cuts = new Map<string, Map<string, readonly (readonly Cut[])[]>>();
      for (const { kind, rule, key, rows } of ruleRows(plan, ids)) {
        for (const [tensor, stored] of Object.entries((await store.get(key)) ?? {})) {
          const output = outputs.get(tensor);
          if (output?.elementCount !== stored.elementCount) continue;
          const found = kind === "cuts" ? readCuts(stored) : "facts" in stored && stored.facts;
          if (!found || found.length !== rows(output)) continue;
          if (kind === "cuts") note(cuts, rule, tensor, readCuts(stored));
          else if ("facts" in stored) note(facts, rule, tensor, stored.facts);
        }
      }
      return { facts, cuts };
    },
    async save(plan, ids, measured) {
      const counts = new Map(plan.outputs.map(({ name, elementCount }) => [name, elementCount]));
      for (const { kind, rule, key } of ruleRows(plan, ids)) {
        const row = Object.fromEntries(
          [...(measured[kind].get(rule) ?? [])].flatMap(([tensor, found]) => {
            const elementCount = counts.get(tensor);
            return elementCount === undefined
              ? []
              : [[tensor, { elementCount, [kind]: found } as unknown as Stored] as const];
          }),
        );
        if (Object.keys(row).length > 0) await store.set(key, row);
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
