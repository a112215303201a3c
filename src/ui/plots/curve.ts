/** A line over training steps. */
export interface Curve {
  readonly name: string;
  /** A CSS colour. */
  readonly colour: string;
  /** Told apart without colour: how its line is dashed. */
  readonly dash: string;
  /** By step, ascending. */
  readonly points: readonly { readonly step: number; readonly value: number }[];
}
