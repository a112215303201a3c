// out = base + Σ coefficientₘ (xₘ - base), the coefficients as TIES, DARE and SCE find them.
// constants: as in lib/task_vectors.wgsl
// needs lib/task_vectors.wgsl
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  if (ARITHMETIC != F32) { return merge_in_steps(base, x); }
  let share = coefficients(base, x);
  var change = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) { change += share[m] * (x[m] - base); }
  return base + change;
}
