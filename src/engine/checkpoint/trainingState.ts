const TRAINING_STATE =
  /(^|\/)((training_args|optimizer|scheduler|rng_state|scaler|random_states)[\w-]*\.\w+|global_step\d+\/.+)$/;

/**
 * Whether a file is what training leaves behind beside the weights, in the same formats: the state of
 * an optimiser, a schedule or a random generator.
 */
export function isTrainingState(path: string): boolean {
  return TRAINING_STATE.test(path);
}
