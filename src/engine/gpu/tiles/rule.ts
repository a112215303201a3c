import type { ShaderConstants } from "../shaderConstants.ts";
import type { Lines } from "./tiling.ts";

/**
 * A rule: its file below its folder in `shaders/`, and its constants; for rules of rows or columns
 * those of each in the tile, one after another.
 */
export interface Rule {
  readonly rule: string;
  readonly constants: readonly number[] | Float32Array;
  /** Whether the tile's first source is the base, not the first model. */
  readonly hasBase: boolean;
  /** Whether it gets the values that are derived of the tile, behind its models. */
  readonly seesDerived?: boolean;
  /** Constants that its shader is compiled for. */
  readonly linked?: ShaderConstants | undefined;
}

/** A reduce rule, with its number of rows of four sums. */
export interface SumRule extends Rule {
  readonly rows: number;
}

/** Values that are derived of a tile's first models, along lines. */
export interface TileDerivation {
  /** Its rule's file below `shaders/derive`. */
  readonly rule: string;
  readonly lines: Lines;
  readonly models: number;
  readonly hasBase: boolean;
}
