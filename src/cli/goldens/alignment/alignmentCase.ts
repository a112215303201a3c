import type { Bench } from "../cases.ts";
import type { Comparison } from "../compare.ts";

/** Something the goldens say about alignment, ready to be held against ours. */
export interface AlignmentCase {
  readonly name: string;
  run(bench: Pick<Bench, "gpuProvider">): Comparison | Promise<Comparison>;
}
