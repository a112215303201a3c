import type { FusionProfile } from "../../contract/index.ts";
import { type Warping, warp } from "./dtw.ts";
import { PairCosts } from "./pairCosts.ts";
import { fusechatV1 } from "./profiles/fusechatV1.ts";
import { fusechatV2 } from "./profiles/fusechatV2.ts";
import { fusellm } from "./profiles/fusellm.ts";
import type { DtwProfile, TokenIds } from "./profiles/profile.ts";
import type { Vocabulary } from "./types.ts";

/** Profiles that align by dynamic time warping; `studio` aligns by byte offsets. */
export type DtwProfileName = Exclude<FusionProfile, "studio">;

export const dtwProfiles: Readonly<Record<DtwProfileName, DtwProfile>> = {
  fusellm,
  "fusechat-v1": fusechatV1,
  "fusechat-v2": fusechatV2,
};

/**
 * A warper of texts in two vocabularies, by a profile's costs, which are kept from text to text.
 * FuseChat's references pad both texts to one length first; callers that want this pad the ids.
 */
export function createWarper(
  profile: DtwProfileName,
  pivot: Vocabulary,
  source: Vocabulary,
): (texts: TokenIds) => Warping {
  const { cost, spell, ties } = dtwProfiles[profile];
  const costs = new PairCosts(spell(source, pivot), spell(pivot, pivot), cost);
  return (texts) => warp(costs.between(texts.source, texts.pivot), ties);
}
