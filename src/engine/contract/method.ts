/** A parameter of a merge method, as a form draws it and a recipe is checked by it. */
export type ParamCard = {
  readonly name: string;
  readonly label: string;
  /** One sentence. */
  readonly help: string;
  /** `model`: each model of the recipe has its own. */
  readonly scope: "global" | "model";
  /** Without a value the recipe is refused. */
  readonly required: boolean;
} & (
  | {
      readonly kind: "number";
      /** What a slider offers. Values outside are legal unless `refuse` says otherwise. */
      readonly min: number;
      readonly max: number;
      readonly step: number;
      readonly default: number | null;
      /** What a form gives each model when the method is chosen there, where that is not the default. */
      readonly start?: number;
    }
  | { readonly kind: "choice"; readonly options: readonly string[]; readonly default: string }
  | { readonly kind: "boolean"; readonly default: boolean }
  | { readonly kind: "patterns"; readonly default: readonly string[] }
);

/** A merge method, as the page and the docs show it. */
export interface MethodCard {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it does to the weights. */
  readonly summary: string;
  readonly paper: { readonly label: string; readonly url: string };
  readonly base: "required" | "optional" | "none";
  /** How many models beside the base. */
  readonly models: { readonly min: number; readonly max: number };
  readonly params: readonly ParamCard[];
  /** The per-model parameter through which one tensor's share is set by hand, if there is one. */
  readonly override: string | null;
  /** True where mergekit knows the method by the same id and parameters. */
  readonly mergekit: boolean;
}
