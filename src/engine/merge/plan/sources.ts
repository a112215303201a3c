import type { Checkpoint, CheckpointTensor } from "../../checkpoint/checkpoint.ts";
import { findEmbedding, isTied } from "../../checkpoint/tensorRoles/head.ts";
import { isHead } from "../../checkpoint/tensorRoles/role.ts";
import type { Finding } from "../../contract/index.ts";
import type { MergeMethod } from "../method.ts";
import type { TokenRows } from "./tokenRows.ts";

/** One checkpoint of a merge under the name that findings and results give it. */
export interface Source {
  readonly key: string;
  /** Its tensors bear the template's names where the two are layouts of one model. */
  readonly checkpoint: Checkpoint;
  /** As it was opened, under its own names. */
  readonly stored: Checkpoint;
  /** What its tokenizer calls for; null where that is not known or does not matter. */
  readonly tokens: TokenRows | null;
  /** Its head is tied and stored nevertheless: `checkpoint` has none of its own. */
  readonly repeatsEmbedding: boolean;
}

/** The checkpoints of a merge. Where the method has no base, `base` is null. */
export interface Sources {
  readonly method: MergeMethod;
  readonly base: Source | null;
  readonly models: readonly Source[];
  /** Gives the result its config, its tokenizer, and the names and order of its tensors. */
  readonly template: Source;
}

/**
 * The checkpoint's tensor of this name; for the head of a model that ties it, its token embedding
 * (mergekit's `tied_names`).
 */
export function findTensor(checkpoint: Checkpoint, name: string): CheckpointTensor | null {
  const own = checkpoint.tensors.get(name);
  if (own) return own;
  return isHead(name) && isTied(checkpoint) ? findEmbedding(checkpoint) : null;
}

/** A finding about one source, and maybe one of its tensors. */
export function finding(
  severity: Finding["severity"],
  code: Finding["code"],
  message: string,
  about: { readonly source?: Source | undefined } & Pick<
    Finding,
    "tensor" | "setting" | "items"
  > = {},
): Finding {
  const { source, ...rest } = about;
  return {
    severity,
    code,
    message,
    ...(source === undefined ? {} : { model: source.key }),
    ...rest,
  };
}

/** `32000 × 4096`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? "a single number" : shape.join(" × ");
}
