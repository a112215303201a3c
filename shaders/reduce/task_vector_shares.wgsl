// Sums for mean and deviation of the coefficients that TIES, DARE and SCE give each model's change.
//   facts: Σ coefficient, Σ coefficient², 0, 0        constants: as in lib/task_vectors.wgsl
// needs lib/task_vectors.wgsl
var<private> shares: array<vec4f, MODELS>;

fn look_at(base: vec4f, x: array<vec4f, MODELS>) { shares = coefficients(base, x); }

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let share = shares[m];
  return mat4x4f(share, share * share, vec4f(0.0), vec4f(0.0));
}
