import type { FusionProfile } from "../../../engine/contract/index.ts";

/** Description of each profile. */
export const PROFILE_WORDS: Readonly<Record<FusionProfile, string>> = {
  studio: "Byte offsets align the texts, nats per byte choose: fair and linear in time.",
  fusellm: "As published in arXiv 2401.10491: edit distances, MinED vocabulary map.",
  "fusechat-v1": "As published in arXiv 2402.16107: mapping statistics.",
  "fusechat-v2": "As published in arXiv 2408.07990: decoded strings, suffixes.",
};
