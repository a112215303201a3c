/** Whose rules are followed: ours, or those of a published reference, its defects included. */
export const FUSION_PROFILES = ["studio", "fusellm", "fusechat-v1", "fusechat-v2"] as const;
export type FusionProfile = (typeof FUSION_PROFILES)[number];

/**
 * One setting: its kind and range, its words, and what each profile sets. The terminal's option, the
 * page's field, the key in a pipeline's file, the check before a job and the table in
 * docs/settings.md are all made from it.
 */
export type SettingCard = {
  /** A few words, no other setting's of its table. */
  readonly label: string;
  /** What it does, in sentences. */
  readonly help: string;
  readonly default: SettingValue;
  /** The profiles that set something else. */
  readonly profiles?: Readonly<Partial<Record<FusionProfile, SettingValue>>>;
  /** Null is a value too, and means this. */
  readonly empty?: string;
  /** The setting is of use only where another one of its table has this value. */
  readonly only?: { readonly setting: string; readonly is: string };
  /** The page shows it at once; the others are folded away. */
  readonly basic?: true;
  /** The terminal's option, where it is not the setting's name with hyphens. */
  readonly option?: string;
} & (
  | {
      readonly kind: "number" | "whole";
      /** Ends included. */
      readonly min: number;
      readonly max: number;
      /** One press of the arrow in a form. */
      readonly step: number;
      /** What is counted, in the plural. */
      readonly unit?: string;
    }
  /** Each word with what a form calls it. */
  | { readonly kind: "choice"; readonly options: Readonly<Record<string, string>> }
  | { readonly kind: "flag" }
  /** At least one of the words. */
  | { readonly kind: "list"; readonly options: readonly string[] }
);

export type SettingValue = number | string | boolean | readonly string[] | null;
/** The settings of one kind of work by name, in the order in which they are shown. */
export type SettingTable = Readonly<Record<string, SettingCard>>;

type OwnValue<Card> = Card extends { readonly kind: "number" | "whole" }
  ? number
  : Card extends { readonly kind: "flag" }
    ? boolean
    : Card extends { readonly kind: "choice"; readonly options: infer Options }
      ? keyof Options
      : Card extends { readonly kind: "list"; readonly options: readonly (infer Word)[] }
        ? readonly Word[]
        : never;
type EmptyValue<Card> = Card extends { readonly empty: string } ? null : never;

/** The values that a table's settings have together. */
export type SettingsOf<Table extends SettingTable> = {
  readonly [Name in keyof Table]: OwnValue<Table[Name]> | EmptyValue<Table[Name]>;
};

/** What each profile sets, in the table's order. */
export function settingsByProfile<Table extends SettingTable>(
  table: Table,
): Readonly<Record<FusionProfile, SettingsOf<Table>>> {
  const of = (profile: FusionProfile) =>
    Object.fromEntries(
      Object.entries(table).map(([name, card]) => [name, card.profiles?.[profile] ?? card.default]),
    );
  return Object.fromEntries(FUSION_PROFILES.map((id) => [id, of(id)])) as never;
}

/** Whether a value, from wherever it comes, is one that the setting can have. */
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
    default:
      return card satisfies never;
  }
}

/** What a value must be, as in "it must be a whole number from 1 to 64". */
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
    default:
      return card satisfies never;
  }
}
