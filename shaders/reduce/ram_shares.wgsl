// Sums for mean and deviation of the shares that RAM gives each model's change.
//   facts: Σ share, Σ share², 0, 0                     constants: as in merge/ram.wgsl
// needs merge/ram.wgsl
fn look_at(base: vec4f, x: array<vec4f, MODELS>) {}

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let count = count_changed(base, x);
  let whole = select(1.0 / max(count, vec4f(1.0)), vec4f(constants[m + 2u]), count == vec4f(1.0));
  let share = select(vec4f(0.0), whole, has_changed(base, x[m]));
  return mat4x4f(share, share * share, vec4f(0.0), vec4f(0.0));
}
