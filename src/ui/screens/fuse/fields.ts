interface Common<Key> {
  readonly key: Key;
  readonly label: string;
  /** One sentence: what it does. */
  readonly help: string;
  /** Folded away until asked for. */
  readonly advanced: boolean;
}

/** How one of several settings is asked for. */
export type Field<Key> = Common<Key> &
  (
    | {
        readonly kind: "number";
        readonly min: number;
        readonly max: number;
        readonly step: number;
        /** What an empty field means, where it may be empty; its value is null. */
        readonly empty?: string;
      }
    /** The value "" stands for null. */
    | { readonly kind: "choice"; readonly options: readonly (readonly [string, string])[] }
    | { readonly kind: "switch" }
  );

/** A setting's value as a form shows it. */
export function sayValue(field: Field<unknown>, value: unknown): string {
  if (field.kind === "switch") return value ? "on" : "off";
  if (field.kind === "number") return value === null ? (field.empty ?? "none") : String(value);
  return field.options.find(([id]) => id === (value ?? ""))?.[1] ?? String(value);
}
