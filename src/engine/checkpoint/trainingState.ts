const TRAINING_STATE =
  /(^|\/)((training_args|optimizer|scheduler|rng_state|scaler|random_states)[\w-]*\.\w+|global_step\d+\/.+)$/;

/**
 * Whether a file is a training's state (optimiser, schedule, random generator), which uses the
 * formats of weights.
 */
export function isTrainingState(path: string): boolean {
  return TRAINING_STATE.test(path);
}
