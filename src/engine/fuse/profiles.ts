import type { FusionProfile, FusionSettings } from "../contract/index.ts";

/** The words that some settings take. */
export const FUSION_CHOICES = {
  vocabulary: ["bytes", "exact", "mined", "co-occurrence", "statistics", "counts"],
  fallback: ["pivot", "gold", "current"],
  fusion: ["mince", "avgce"],
  level: ["sequence", "token"],
  metric: ["byte", "token"],
  averageBy: ["rewards", "losses"],
  tail: ["renormalise", "bucket"],
  badRows: ["skip", "refuse"],
} as const satisfies { readonly [K in keyof FusionSettings]?: readonly FusionSettings[K][] };

/** What every profile shares: FuseLLM's published recipe, which FuseChat kept. */
const COMMON = {
  topK: 10,
  maxTokens: 2048,
  rows: 1000,
  fusion: "mince",
  level: "sequence",
  averageBy: "rewards",
  temperature: 1,
  withPivot: true,
  badRows: "skip",
} as const satisfies Partial<FusionSettings>;

/** The references' trainers: tokens of different tokenizers compared as they are, and bf16 throughout. */
const REFERENCE = { ...COMMON, metric: "token", tail: "renormalise", bf16: true } as const;

/**
 * What each profile sets. The references': FuseLLM (arXiv 2401.10491) with MinED, FuseChat v1
 * (arXiv 2402.16107) and v2 (arXiv 2408.07990) with mapping statistics.
 */
export const PROFILES: Readonly<Record<FusionProfile, FusionSettings>> = {
  studio: {
    ...COMMON,
    profile: "studio",
    metric: "byte",
    tail: "bucket",
    bf16: false,
    vocabulary: "bytes",
    matrix: false,
    fallback: "pivot",
  },
  fusellm: {
    ...REFERENCE,
    profile: "fusellm",
    vocabulary: "mined",
    matrix: false,
    fallback: "current",
  },
  "fusechat-v1": {
    ...REFERENCE,
    profile: "fusechat-v1",
    vocabulary: "statistics",
    matrix: true,
    fallback: "current",
  },
  "fusechat-v2": {
    ...REFERENCE,
    profile: "fusechat-v2",
    vocabulary: "statistics",
    matrix: true,
    fallback: "gold",
  },
};
