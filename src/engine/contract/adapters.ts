import type { ModelId } from "./ids.ts";

/** How elements of several adapters become one, by PEFT's names. */
export const ADAPTER_RULES = [
  "linear",
  "ties",
  "dare_linear",
  "dare_ties",
  "magnitude_prune",
] as const;
export type AdapterRule = (typeof ADAPTER_RULES)[number];

/**
 * Where a rule is applied. `factors`: to all A and to all B, as PEFT does without a suffix; ranks must
 * be equal. `core`: to the changes in the bases of all A and all B (Core Space, arXiv:2509.17786).
 * `knots`: to the parts of the changes side by side in their common basis (KnOTS, arXiv:2410.19735).
 * `cat`: the exact sum, factors side by side; `svd`: the exact sum in as few ranks as one adapter has.
 */
export type AdapterSpace = "factors" | "core" | "knots" | "cat" | "svd";

/** A way to merge adapters. */
export interface AdapterMethod {
  readonly id: string;
  readonly space: AdapterSpace;
  readonly rule: AdapterRule;
}

/** All ways: PEFT's names, and those of its rules with `_core` and `_knots` behind them. */
export const ADAPTER_METHODS: readonly AdapterMethod[] = [
  { id: "cat", space: "cat", rule: "linear" },
  { id: "svd", space: "svd", rule: "linear" },
  ...(["factors", "core", "knots"] as const).flatMap((space) =>
    ADAPTER_RULES.map((rule) => {
      return { id: space === "factors" ? rule : `${rule}_${space}`, space, rule };
    }),
  ),
];

/** A merge of adapters into one. */
export interface AdapterMergeRequest {
  readonly adapters: readonly { readonly model: ModelId; readonly weight: number }[];
  /** Id of one of `ADAPTER_METHODS`. */
  readonly method: string;
  /** Share of the elements that pruning rules keep, from 0 to 1. */
  readonly density: number;
  /** Rank of the result, null for the method's own; its change is then the closest of that rank. */
  readonly rank: number | null;
  /** Seed of what DARE drops. */
  readonly seed: number;
  /** TIES' vote, PEFT's `majority_sign_method`. */
  readonly vote: "total" | "frequency";
}
