export type * from "./adapters.ts";
export { ADAPTER_METHODS, ADAPTER_RULES } from "./adapters.ts";
export type * from "./engine.ts";
export type { ErrorCode, ErrorDetails, Failure } from "./error.ts";
export { EngineError, ERROR_CODES, toFailure } from "./error.ts";
export type * from "./extraction.ts";
export type * from "./extractionSettings.ts";
export { EXTRACTION_DEFAULTS, EXTRACTION_SETTINGS } from "./extractionSettings.ts";
export type * from "./fusion.ts";
export { ALIGNMENT_REASONS } from "./fusion.ts";
export type * from "./fusionSettings.ts";
export { FUSION_DEFAULTS, FUSION_SETTINGS } from "./fusionSettings.ts";
export type * from "./ids.ts";
export type * from "./job.ts";
export type * from "./language.ts";
export { FEWEST_ROWS, nameDomain } from "./language.ts";
export type * from "./method.ts";
export type * from "./mixture.ts";
export { GATE_MODES, MIXTURE_ARCHITECTURES } from "./mixture.ts";
export type * from "./model.ts";
export type * from "./pipeline.ts";
export { PIPELINE_STEPS } from "./pipeline.ts";
export { escapeUnseen, formatCsvField } from "./plainText.ts";
export type * from "./plan.ts";
export type * from "./recipe.ts";
export {
  EXTRA_ACTIONS,
  keysOfList,
  modelKeys,
  namedModels,
  renameModels,
  sourceLists,
} from "./recipe.ts";
export type * from "./settings.ts";
export { allowsValue, FUSION_PROFILES, sayRange, settingsByProfile } from "./settings.ts";
export type * from "./tensor.ts";
export { DTYPES } from "./tensor.ts";
export type * from "./training.ts";
export type * from "./trainingSettings.ts";
export { TRAINED_MODULES, TRAINING_DEFAULTS, TRAINING_SETTINGS } from "./trainingSettings.ts";
export type * from "./transplant.ts";
export { SUBWORD_METHODS, TRANSPLANT_DEFAULTS, TRANSPLANT_METHODS } from "./transplant.ts";
export type * from "./weights.ts";
