import { EngineError, type MixtureConfig, type MixtureExpert } from "../contract/index.ts";

const nameOf = ({ model }: MixtureExpert, i: number) => `expert ${i} ("${model}")`;

/** Whether the routers' rows come from what the experts' prompts say. */
export const readsPrompts = ({ gateMode }: MixtureConfig) =>
  gateMode !== "random" && gateMode !== "uniform_random";

/**
 * Refuses what mergekit 0.1.5 refuses, as `bad-recipe`: fewer experts than a token is sent to, experts
 * without prompts, prompts that are the same for all experts, and the same model as every expert
 * unless `sameExperts`. With random gates prompts are not needed; with `uniform_random` mergekit
 * demands them all the same.
 */
export function checkMixture(config: MixtureConfig, sameExperts: boolean): void {
  const { experts, expertsPerToken, gateMode, sharedExperts } = config;
  if (experts.length < expertsPerToken) {
    throw refuse(
      `Each token goes to ${expertsPerToken} experts, but there are ${experts.length}: list more under "experts", or lower "experts_per_token".`,
      "experts_per_token",
    );
  }
  if (gateMode === "random") return;
  const silent = experts.findIndex(({ positivePrompts }) => positivePrompts.length === 0);
  if (silent >= 0) {
    throw refuse(
      `${nameOf(experts[silent]!, silent)} has no "positive_prompts". Write some texts that should go to it, or state "gate_mode: random" and train the routers afterwards.`,
      "positive_prompts",
    );
  }
  const prompts = experts.map((each) =>
    JSON.stringify([each.positivePrompts, each.negativePrompts]),
  );
  if (new Set(prompts).size === 1) {
    throw refuse(
      `All ${experts.length} experts have the same prompts, so that no router could tell them apart. For each expert write texts that should go to it and not to the others.`,
      "positive_prompts",
    );
  }
  if (!sameExperts && new Set(experts.map(({ model }) => model)).size === 1) {
    throw refuse(
      `All ${experts.length} experts are "${experts[0]!.model}": the mixture would be larger and give the same output. Name different models, or allow it (--same-experts) if you are going to train it.`,
      "experts",
    );
  }
  const prompted = sharedExperts.filter(({ positivePrompts }) => positivePrompts.length > 0);
  if (prompted.length > 0 && prompted.length < sharedExperts.length) {
    throw refuse("Either all shared experts have prompts or none has.", "shared_experts");
  }
}

function refuse(message: string, key: string): EngineError {
  return new EngineError("bad-recipe", message, { key });
}
