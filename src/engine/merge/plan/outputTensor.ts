import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import type { ConfigField } from "../../checkpoint/config.ts";
import type { ShardPlan } from "../../checkpoint/formats/safetensors/shards.ts";
import type { DType, MergePlan, Recipe } from "../../contract/index.ts";
import type { MergeMethod, Resolved, Values } from "../method.ts";
import type { MergedVocabulary } from "../vocabulary/mergedVocabulary.ts";

/** One tensor of the result, with everything that its bytes depend on. */
export interface OutputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements that are merged, the first ones of every source: fewer than `shape` has where rows are spare. */
  readonly elementCount: number;
  /** An `OutputDType` where the tensor is merged. */
  readonly dtype: DType;
  readonly action: "merge" | "copy";
  /** Copied: whose bytes. Where `models` is not empty, base and models must hold the same bytes. */
  readonly copyFrom: CheckpointTensor | null;
  readonly base: CheckpointTensor | null;
  readonly models: readonly CheckpointTensor[];
  /** Which of the plan's models these are: indices into `Plan.keys`. */
  readonly present: readonly number[];
  /** Of the present models only; empty where the tensor is copied. */
  readonly resolved: Resolved;
  /** Holds the rows of `shape` behind the merged ones; copied from there, rounded to `dtype`. */
  readonly spare: CheckpointTensor | null;
  /** Tensors with one unit are decided together. */
  readonly unit: string;
}

/** A merge, found out from headers alone. */
export interface Plan {
  readonly card: MergePlan;
  readonly method: MergeMethod;
  /** Without the base among its `models`, where the method works from a base. */
  readonly recipe: Recipe;
  readonly global: Values;
  /** Keys of all models that are merged, whatever slice they go into. */
  readonly keys: readonly string[];
  readonly outputs: readonly OutputTensor[];
  /** Config and tokenizer come from it, unless the recipe states one: the base, else the first model. */
  readonly template: Checkpoint;
  /** Vocabulary that the recipe asks for; null: the template's, as it is. */
  readonly vocabulary: MergedVocabulary | null;
  /** The checkpoint of each key. */
  readonly models: readonly Checkpoint[];
  /** Checkpoints that are read as a base, a slice's own among them. */
  readonly bases: readonly Checkpoint[];
  /** What the result's config.json must say otherwise than the template's. */
  readonly configChanges: {
    readonly vocabSize?: number;
    readonly tied?: false;
    /** Layers that slices take, and lists that follow them. */
    readonly fields?: readonly ConfigField[];
  };
  readonly shards: ShardPlan;
}

/** Bytes of GPU memory that one tile's buffers may take, and how many are under way at once. */
export interface TileBudget {
  readonly tileBytes: number;
  readonly slots: number;
  /** All GPU memory that tiles may take; by default that of the slots. */
  readonly totalBytes?: number;
}
