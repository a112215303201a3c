import type { ErrorCode } from "./error.ts";
import type { ExtraAction, Recipe } from "./recipe.ts";
import type { OutputDType } from "./tensor.ts";

/** A finding of a plan; severity `error` forbids the merge. */
export interface Finding {
  readonly severity: "error" | "warning" | "note";
  readonly code: ErrorCode | "info";
  /** Sentence: what, where, and what will happen. */
  readonly message: string;
  readonly model?: string;
  readonly tensor?: string;
  /** The recipe's key or parameter that decides about it: `copy_code`, `profile`. */
  readonly setting?: string;
  /** All tensors or files that it is about, where the sentence names only some. */
  readonly items?: readonly string[];
  /** Line of the recipe's text, from 1, where the finding is about one. */
  readonly line?: number;
}

/** A parsed recipe. */
export interface ParsedRecipe {
  readonly recipe: Recipe;
  /** Findings: keys that mergekit ignores, and differences to mergekit. */
  readonly findings: readonly Finding[];
  /** Line (from 1) of each parameter: `weight`, or `models.0.weight` for a model's own. */
  readonly lines: Readonly<Record<string, number>>;
}

export interface PlannedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: OutputDType | "as-is";
  /** `merge`: computed; `copy`: equal in all models, or excluded by the recipe. */
  readonly action: "merge" | "copy";
}

/** Tensors that the same models have and the same models lack, and what becomes of them. */
export interface ExtraGroup {
  readonly tensors: readonly string[];
  readonly has: readonly string[];
  readonly lacks: readonly string[];
  /** `refuse` too where nothing can become of them unless the recipe says so. */
  readonly outcome: ExtraAction | "merge";
}

/** Tokens of a kind: how many there are, and the first of them. */
export interface TokenList {
  readonly count: number;
  readonly tokens: readonly {
    readonly token: string;
    /** Id in the result; null where it has none. */
    readonly id: number | null;
    /** Id in the model; null where it has none. */
    readonly own: number | null;
  }[];
}

/** A special token that a model names otherwise than the result. */
export interface SpecialDifference {
  /** `bos`, `eos`, `pad` … */
  readonly role: string;
  readonly own: string | null;
  readonly result: string | null;
}

/** How a model's vocabulary differs from the result's. */
export interface VocabularyDifference {
  readonly model: string;
  /** Number of its tokens. */
  readonly tokens: number;
  /** Tokens of the result that it has no row for. */
  readonly lacks: TokenList;
  /** Its own tokens that the result does not have. */
  readonly leftOut: TokenList;
  /** Tokens of both under other ids. */
  readonly moved: TokenList;
  readonly special: readonly SpecialDifference[];
}

/** Vocabulary of a result beside those of its models. */
export interface VocabularyPlan {
  /** Name of the checkpoint whose tokenizer the result gets, as it is or with tokens added. */
  readonly from: string;
  /** Whether the recipe asks for it; otherwise rows are merged by id, whatever token they stand for. */
  readonly aligned: boolean;
  /** Number of tokens of the result. */
  readonly tokens: number;
  /** Models whose vocabulary differs from it. */
  readonly models: readonly VocabularyDifference[];
}

/** Plan of a merge, from headers alone. */
export interface MergePlan {
  readonly tensors: readonly PlannedTensor[];
  readonly findings: readonly Finding[];
  /** What only some models have; `extra_tensors` of a recipe decides about it. */
  readonly extras: readonly ExtraGroup[];
  /** Null where all models have the result's vocabulary, or none is known. */
  readonly vocabulary: VocabularyPlan | null;
  /** False where a finding is an error. */
  readonly runnable: boolean;
  /** Bytes read at the most, over all passes. */
  readonly readBytes: number;
  /** Number of times that a source is read at the most: 2 where sums over whole tensors are needed first. */
  readonly passes: number;
  readonly writeBytes: number;
  readonly shards: number;
  readonly peakGpuBytes: number;
  /** Estimated seconds; null before the first merge on this machine. */
  readonly seconds: number | null;
  /** Plans of the merges that come first; bytes and seconds above are those of all together. */
  readonly stages?: readonly { readonly name: string; readonly plan: MergePlan }[];
}
