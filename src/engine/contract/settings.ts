/** Profiles: the studio's rules, or those of a published reference, its defects included. */
export const FUSION_PROFILES = ["studio", "fusellm", "fusechat-v1", "fusechat-v2"] as const;
export type FusionProfile = (typeof FUSION_PROFILES)[number];

/**
 * A setting: its kind, range, words and values by profile. The terminal's option, the page's field,
 * the key in a pipeline's file, the check before a job and the table in docs/settings.md are made
 * from it.
 */
export type SettingCard = {
  /** Label: a few words, unique in its table. */
  readonly label: string;
  /** Sentences on what it does. */
  readonly help: string;
  readonly default: SettingValue;
  /** Values of the profiles that differ from the default. */
  readonly profiles?: Readonly<Partial<Record<FusionProfile, SettingValue>>>;
  /** Meaning of the value null, where that is allowed. */
  readonly empty?: string;
  /** Restriction: the setting only has an effect where another one of its table has this value. */
  readonly only?: { readonly setting: string; readonly is: string };
  /** Whether the page shows it at once; the others are folded away. */
  readonly basic?: true;
  /** Option of the terminal, where it is not the name with hyphens. */
  readonly option?: string;
} & (
  | {
      readonly kind: "number" | "whole";
      /** Range, ends included. */
      readonly min: number;
      readonly max: number;
      /** Step of the arrows in a form. */
      readonly step: number;
      /** Unit, in the plural. */
      readonly unit?: string;
    }
  /** Words, each with its label in a form. */
  | { readonly kind: "choice"; readonly options: Readonly<Record<string, string>> }
  | { readonly kind: "flag" }
  /** Words, of which at least one is chosen. */
  | { readonly kind: "list"; readonly options: readonly string[] }
  /** A name of the user's own, of at most so many characters. */
  | { readonly kind: "name"; readonly most: number }
);

export type SettingValue = number | string | boolean | readonly string[] | null;
/** Settings of one kind of work by name, in display order. */
export type SettingTable = Readonly<Record<string, SettingCard>>;

type OwnValue<Card> = Card extends { readonly kind: "number" | "whole" }
  ? number
  : Card extends { readonly kind: "flag" }
    ? boolean
    : Card extends { readonly kind: "choice"; readonly options: infer Options }
      ? keyof Options
      : Card extends { readonly kind: "list"; readonly options: readonly (infer Word)[] }
        ? readonly Word[]
        : Card extends { readonly kind: "name" }
          ? string
          : never;
type EmptyValue<Card> = Card extends { readonly empty: string } ? null : never;

/** Values of a table's settings. */
export type SettingsOf<Table extends SettingTable> = {
  readonly [Name in keyof Table]: OwnValue<Table[Name]> | EmptyValue<Table[Name]>;
};

/** Values of each profile, in the table's order. */
export function settingsByProfile<Table extends SettingTable>(
  table: Table,
): Readonly<Record<FusionProfile, SettingsOf<Table>>> {
  const of = (profile: FusionProfile) =>
    Object.fromEntries(
      Object.entries(table).map(([name, card]) => [name, card.profiles?.[profile] ?? card.default]),
    );
  return Object.fromEntries(FUSION_PROFILES.map((id) => [id, of(id)])) as never;
}

/** Whether a value is legal for a setting. */
export function allowsValue(card: SettingCard, value: unknown): boolean {
  if (value === null) return card.empty !== undefined;
  switch (card.kind) {
    case "number":
    case "whole": {
      const inRange = typeof value === "number" && value >= card.min && value <= card.max;
      return inRange && (card.kind === "number" || Number.isInteger(value));
    }
    case "choice":
      return typeof value === "string" && Object.hasOwn(card.options, value);
    case "flag":
      return typeof value === "boolean";
    case "list":
      return (
        Array.isArray(value) && value.length > 0 && value.every((one) => card.options.includes(one))
      );
    case "name":
      return typeof value === "string" && value.length > 0 && value.length <= card.most;
    default:
      return card satisfies never;
  }
}

/** Legal values in words, as in "it must be a whole number from 1 to 64". */
export function sayRange(card: SettingCard): string {
  switch (card.kind) {
    case "number":
      return `a number from ${card.min} to ${card.max}`;
    case "whole":
      return `a whole number from ${card.min} to ${card.max}`;
    case "choice":
      return `one of ${Object.keys(card.options).join(", ")}`;
    case "flag":
      return "true or false";
    case "list":
      return `a list of at least one of ${card.options.join(", ")}`;
    case "name":
      return `a name of at most ${card.most} characters`;
    default:
      return card satisfies never;
  }
}
