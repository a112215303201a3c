import { type SettingsOf, type SettingTable, settingsByProfile } from "./settings.ts";

/** What to do with a changed tensor that no factors stand for. */
const WHOLE = { save: "Save whole", skip: "Leave out" } as const;

/** Settings of a LoRA's extraction. Those of mergekit-extract-lora have its names in `option`. */
export const EXTRACTION_SETTINGS = {
  rank: {
    kind: "whole",
    label: "Rank",
    help: "Of each matrix’s factors; with a kept energy the largest that one may have.",
    basic: true,
    default: 32,
    min: 1,
    max: 4096,
    step: 1,
  },
  energy: {
    kind: "number",
    label: "Kept energy",
    help: "Part of the squared change that each matrix’s factors keep: each gets the rank that this takes.",
    basic: true,
    default: null,
    empty: "the same rank for all",
    min: 0.001,
    max: 1,
    step: 0.01,
  },
  include: {
    kind: "name",
    label: "Only matrices with",
    help: "Parts of names, between commas: a module is taken where its name has one of them.",
    default: null,
    empty: "all",
    most: 1000,
  },
  exclude: {
    kind: "name",
    label: "No matrices with",
    help: "Parts of names, between commas: a module is left out where its name has one of them.",
    default: null,
    empty: "none",
    most: 1000,
  },
  embeddings: {
    kind: "choice",
    label: "Embeddings and head",
    help: "Changed embeddings and heads: saved whole, as factors, or left out. Of a larger vocabulary they are never factors.",
    default: "save",
    options: { ...WHOLE, lora: "As factors" },
  },
  others: {
    kind: "choice",
    label: "Norms, biases and others",
    help: "Changed tensors that no factors can stand for.",
    default: "save",
    options: WHOLE,
  },
  distribute: {
    kind: "flag",
    label: "Share the singular values",
    help: "Both factors get their roots; off: A gets all of them, and B’s columns are orthonormal.",
    option: "distribute-scale",
    default: true,
  },
  alpha: {
    kind: "number",
    label: "Alpha",
    help: "What the factors make is scaled by alpha / rank; they are divided by it.",
    default: null,
    empty: "the rank, so that nothing is scaled",
    min: 1e-6,
    max: 1e6,
    step: 1,
  },
  least: {
    kind: "number",
    label: "Smallest singular value",
    help: "Smaller ones are left out.",
    option: "sv-epsilon",
    default: 0,
    min: 0,
    max: 1e30,
    step: 0.001,
  },
  dtype: {
    kind: "choice",
    label: "Written as",
    help: "The number format of the factors; what is saved whole keeps its own.",
    default: "F32",
    options: { F32: "F32", F16: "F16", BF16: "BF16" },
  },
  seed: {
    kind: "whole",
    label: "Seed",
    help: "Of the vectors that the singular vectors are found from.",
    default: 42,
    min: 0,
    max: 2 ** 32 - 1,
    step: 1,
  },
} as const satisfies SettingTable;

export type ExtractionSettings = SettingsOf<typeof EXTRACTION_SETTINGS>;
export const EXTRACTION_DEFAULTS: ExtractionSettings =
  settingsByProfile(EXTRACTION_SETTINGS).studio;
