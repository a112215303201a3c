/** A curve over training steps. */
export interface Curve {
  readonly name: string;
  /** A CSS colour. */
  readonly colour: string;
  /** Dash pattern of its line, so that colour is not needed. */
  readonly dash: string;
  /** Points, ascending by step. */
  readonly points: readonly { readonly step: number; readonly value: number }[];
}
