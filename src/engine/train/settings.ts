import { TRAINING_SETTINGS, type TrainingSettings } from "../contract/index.ts";
import { checkSettings } from "../core/checkSettings.ts";

/** Throws `usage` with the legal range for a setting out of range. */
export function checkTrainingSettings(settings: TrainingSettings): TrainingSettings {
  return checkSettings(TRAINING_SETTINGS, settings, { profile: "studio", of: "The training" });
}
