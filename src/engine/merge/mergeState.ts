import type { ModelId } from "../contract/index.ts";

/** Saved state of a merge. */
export interface MergeState {
  /** Library id of the result. */
  readonly model: ModelId;
  /** Library ids of the inputs when the merge began; missing in states of older versions. */
  readonly inputs?: readonly ModelId[];
}

/** Saved state of a recipe with stages. */
export interface StagedState {
  /** What is known of each merge that was begun, by the stage's name. */
  readonly stages: Readonly<Record<string, MergeState>>;
  /** The same of the recipe itself. */
  readonly result: MergeState | null;
  /** Whether the stages' results stay in the library. */
  readonly keepStages?: true;
}

export const isStaged = (state: MergeState | StagedState | null): state is StagedState =>
  state !== null && "stages" in state;
