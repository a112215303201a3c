import type { FusionSettings } from "../../../engine/contract/index.ts";
import type { Field } from "./fields.ts";

/** How a setting of the fusion is asked for. */
type SettingField = Field<Exclude<keyof FusionSettings, "profile">>;

/** The settings of a fusion in the order in which they matter. */
export const SETTING_FIELDS: readonly SettingField[] = [
  {
    key: "rows",
    label: "Rows of each dataset",
    kind: "number",
    advanced: false,
    min: 1,
    max: 10_000_000,
    step: 1,
    help: "At most so many texts are read of each dataset.",
  },
  {
    key: "maxTokens",
    label: "Tokens of a text",
    kind: "number",
    advanced: false,
    min: 16,
    max: 131_072,
    step: 1,
    help: "Longer texts are split into parts of this length.",
  },
  {
    key: "fusion",
    label: "Fusion",
    kind: "choice",
    advanced: false,
    options: [
      ["mince", "Lowest loss"],
      ["avgce", "Average"],
    ],
    help: "MinCE takes the distribution of whoever foresees the text best; AvgCE averages all, weighed by that.",
  },
  {
    key: "level",
    label: "Decided",
    kind: "choice",
    advanced: false,
    options: [
      ["sequence", "per text"],
      ["token", "per token"],
    ],
    help: "Whether one model teaches a whole text, or the choice is made anew at every token.",
  },
  {
    key: "topK",
    label: "Entries kept",
    kind: "number",
    advanced: true,
    min: 1,
    max: 64,
    step: 1,
    help: "How many of the likeliest tokens are kept of each distribution.",
  },
  {
    key: "metric",
    label: "Compared in",
    kind: "choice",
    advanced: true,
    options: [
      ["byte", "nats per byte"],
      ["token", "nats per token"],
    ],
    help: "Per byte compares models with different tokenizers fairly; per token is what the references do.",
  },
  {
    key: "vocabulary",
    label: "Vocabulary map",
    kind: "choice",
    advanced: true,
    options: [
      ["bytes", "first token of its text"],
      ["exact", "equal tokens only"],
      ["mined", "smallest edit distance"],
      ["co-occurrence", "co-occurrence"],
      ["statistics", "mapping statistics"],
      ["counts", "mapping counts"],
    ],
    help: "What stands in the pivot’s vocabulary for a source’s token that is none of the pivot’s.",
  },
  {
    key: "fallback",
    label: "Without evidence",
    kind: "choice",
    advanced: true,
    options: [
      ["pivot", "the pivot’s own row"],
      ["gold", "the token that follows"],
      ["current", "the current token"],
    ],
    help: "What a source is taken to say at a position that it has no row for.",
  },
  {
    key: "tail",
    label: "Probabilities",
    kind: "choice",
    advanced: true,
    options: [
      ["bucket", "true, the rest in a tail"],
      ["renormalise", "kept entries sum to 1"],
    ],
    help: "Whether what lies outside the kept entries stays there, or is shared out among them.",
  },
  {
    key: "temperature",
    label: "Temperature",
    kind: "number",
    advanced: true,
    min: 0.05,
    max: 20,
    step: 0.1,
    help: "Above 1 the teachers’ distributions are flattened, below 1 they are sharpened.",
  },
  {
    key: "averageBy",
    label: "Average weighs by",
    kind: "choice",
    advanced: true,
    options: [
      ["rewards", "softmax of e^−CE"],
      ["losses", "softmax of −CE"],
    ],
    help: "How AvgCE turns losses into weights; the first is what the references do.",
  },
  {
    key: "withPivot",
    label: "The pivot takes part",
    kind: "switch",
    advanced: true,
    help: "Off, only the sources can teach, even where the pivot foresees the text better.",
  },
  {
    key: "matrix",
    label: "Co-occurrence weights",
    kind: "switch",
    advanced: true,
    help: "Weighs concatenated source rows by how often their tokens meet the pivot’s, as FuseChat can.",
  },
  {
    key: "bf16",
    label: "Round to bf16",
    kind: "switch",
    advanced: true,
    help: "Rounds metrics, rewards and logits on the way, as the references’ trainers do.",
  },
  {
    key: "badRows",
    label: "Unreadable rows",
    kind: "choice",
    advanced: true,
    options: [
      ["skip", "skip and count"],
      ["refuse", "stop"],
    ],
    help: "What happens to rows that cannot be read or rendered.",
  },
];

/** The profiles, and whose rules each follows. */
export const PROFILE_WORDS = {
  studio: [
    "Studio",
    "Byte offsets align the texts, nats per byte choose: fair and linear in time.",
  ],
  fusellm: ["FuseLLM", "As published in arXiv 2401.10491: edit distances, MinED vocabulary map."],
  "fusechat-v1": ["FuseChat v1", "As published in arXiv 2402.16107: mapping statistics."],
  "fusechat-v2": ["FuseChat v2", "As published in arXiv 2408.07990: decoded strings, suffixes."],
} as const;
