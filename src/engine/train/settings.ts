import { TRAINING_SETTINGS, type TrainingSettings } from "../contract/index.ts";
import { checkSettings } from "../core/checkSettings.ts";

/** Throws `usage` where a setting has a value that makes no sense, with the range that does. */
export function checkTrainingSettings(settings: TrainingSettings): TrainingSettings {
  return checkSettings(TRAINING_SETTINGS, settings, { profile: "studio", of: "The training" });
}
