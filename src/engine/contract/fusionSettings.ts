import { type SettingsOf, type SettingTable, settingsByProfile } from "./settings.ts";

/**
 * Settings of a fusion. The references' values are those of FuseLLM (arXiv 2401.10491), FuseChat v1
 * (arXiv 2402.16107) and v2 (arXiv 2408.07990).
 */
export const FUSION_SETTINGS = {
  topK: {
    kind: "whole",
    label: "Entries kept",
    help: "How many of the likeliest tokens are kept of each distribution.",
    default: 10,
    min: 1,
    max: 64, // what the kernel ranks at once
    step: 1,
    unit: "tokens",
  },
  maxTokens: {
    kind: "whole",
    label: "Tokens of a text",
    help: "Longer texts are split into parts of this length, or of a model’s context where that is less.",
    basic: true,
    default: 2048,
    min: 16, // room for the ends of a text, and for the pieces of one character
    max: 131_072,
    step: 1,
    unit: "tokens",
  },
  rows: {
    kind: "whole",
    label: "Rows of each dataset",
    help: "At most so many texts are read of each dataset, drawn at random.",
    basic: true,
    default: 1000,
    min: 1,
    max: 10_000_000,
    step: 1,
    unit: "rows",
  },
  fusion: {
    kind: "choice",
    label: "Fusion",
    help: "MinCE takes the distribution of whoever foresees the text best; AvgCE averages all, weighed by that.",
    basic: true,
    default: "mince",
    options: { mince: "Lowest loss", avgce: "Average" },
  },
  level: {
    kind: "choice",
    label: "Decided",
    help: "Whether one model teaches a whole text, or the choice is made anew at every token.",
    basic: true,
    default: "sequence",
    options: { sequence: "per text", token: "per token" },
  },
  averageBy: {
    kind: "choice",
    label: "Average weighs by",
    help: "How AvgCE turns losses into weights; the first is what the references do.",
    default: "rewards",
    options: { rewards: "softmax of e^−CE", losses: "softmax of −CE" },
  },
  temperature: {
    kind: "number",
    label: "Temperature",
    help: "Above 1 the teachers’ distributions are flattened, below 1 they are sharpened.",
    default: 1,
    // Beyond these temperatures a row is one token, or nearly uniform: logits lie within some 100
    // of each other.
    min: 0.001,
    max: 1000,
    step: 0.1,
  },
  withPivot: {
    kind: "flag",
    label: "The pivot takes part",
    help: "Off, only the sources can teach, even where the pivot foresees the text better.",
    default: true,
  },
  badRows: {
    kind: "choice",
    label: "Unreadable rows",
    help: "What happens to rows that cannot be read or rendered.",
    default: "skip",
    options: { skip: "skip and count", refuse: "stop" },
  },
  systemIntoUser: {
    kind: "flag",
    label: "System text into the first question",
    help: "Puts system texts before the first user turn, for templates that take no system role.",
    default: false,
  },
  textColumn: {
    kind: "name",
    label: "Text column",
    help: "The column that holds the text, where its name is none of those that are known. Rows without it are read as usual.",
    empty: "the columns that are known",
    default: null,
    most: 200,
  },
  profile: {
    kind: "choice",
    label: "Profile",
    help: "Whose rules are followed; each has its own defaults.",
    default: "studio",
    profiles: { fusellm: "fusellm", "fusechat-v1": "fusechat-v1", "fusechat-v2": "fusechat-v2" },
    options: {
      studio: "Studio",
      fusellm: "FuseLLM",
      "fusechat-v1": "FuseChat v1",
      "fusechat-v2": "FuseChat v2",
    },
  },
  metric: {
    kind: "choice",
    label: "Compared in",
    help: "Nats per byte compare models with different tokenizers fairly; nats per token are what the references compare.",
    default: "byte",
    profiles: { fusellm: "token", "fusechat-v1": "token", "fusechat-v2": "token" },
    options: { byte: "nats per byte", token: "nats per token" },
  },
  tail: {
    kind: "choice",
    label: "Probabilities",
    help: "Whether what lies outside the kept entries stays there, or is shared out among them.",
    default: "bucket",
    profiles: {
      fusellm: "renormalise",
      "fusechat-v1": "renormalise",
      "fusechat-v2": "renormalise",
    },
    options: { bucket: "true, the rest in a tail", renormalise: "kept entries sum to 1" },
  },
  bf16: {
    kind: "flag",
    label: "Round to bf16",
    help: "Rounds metrics, rewards and logits on the way, as the references’ trainers do.",
    default: false,
    profiles: { fusellm: true, "fusechat-v1": true, "fusechat-v2": true },
  },
  vocabulary: {
    kind: "choice",
    label: "Vocabulary map",
    help: "What stands in the pivot’s vocabulary for a source’s token that is none of the pivot’s.",
    default: "bytes",
    profiles: { fusellm: "mined", "fusechat-v1": "statistics", "fusechat-v2": "statistics" },
    options: {
      bytes: "first token of its text",
      exact: "equal tokens only",
      mined: "smallest edit distance",
      "co-occurrence": "co-occurrence",
      statistics: "mapping statistics",
      counts: "mapping counts",
    },
  },
  matrix: {
    kind: "flag",
    label: "Co-occurrence weights",
    help: "Weighs concatenated source rows by how often their tokens meet the pivot’s, as FuseChat’s use_token_alignment_matrix does.",
    default: false,
    profiles: { "fusechat-v1": true, "fusechat-v2": true },
  },
  fallback: {
    kind: "choice",
    label: "Without evidence",
    help: "What a source is taken to say at a position that it has no row for.",
    default: "pivot",
    profiles: { fusellm: "current", "fusechat-v1": "current", "fusechat-v2": "gold" },
    options: {
      pivot: "the pivot’s own row",
      gold: "the token that follows",
      current: "the current token",
    },
  },
} as const satisfies SettingTable;

export type FusionSettings = SettingsOf<typeof FUSION_SETTINGS>;
/** Values of each profile for a fusion. */
export const FUSION_DEFAULTS = settingsByProfile(FUSION_SETTINGS);
