/** A parameter of a merge method, for forms and recipe checks. */
export type ParamCard = {
  readonly name: string;
  readonly label: string;
  /** One sentence. */
  readonly help: string;
  /** `model`: each model of the recipe has a value of its own. */
  readonly scope: "global" | "model";
  /** Whether a recipe without a value is refused. */
  readonly required: boolean;
} & (
  | {
      readonly kind: "number";
      /** Range of the slider. Values outside are legal unless the method refuses them. */
      readonly min: number;
      readonly max: number;
      readonly step: number;
      readonly default: number | null;
      /** Initial value of a form for each model, where it differs from the default. */
      readonly start?: number;
    }
  | { readonly kind: "choice"; readonly options: readonly string[]; readonly default: string }
  | { readonly kind: "boolean"; readonly default: boolean }
  | { readonly kind: "patterns"; readonly default: readonly string[] }
);

/** A merge method, for the page and the docs. */
export interface MethodCard {
  readonly id: string;
  readonly title: string;
  /** One sentence on what it does to the weights. */
  readonly summary: string;
  readonly paper: { readonly label: string; readonly url: string };
  readonly base: "required" | "optional" | "none";
  /** Number of models beside the base. */
  readonly models: { readonly min: number; readonly max: number };
  readonly params: readonly ParamCard[];
  /** Name of the per-model parameter that states a tensor's share by hand, or null. */
  readonly override: string | null;
  /** Whether mergekit has a method of this id with these parameters. */
  readonly mergekit: boolean;
}
