// Sums for mean and deviation of the share of Arcee Fusion's model: 1 where its change is taken.
//   facts: Σ share, Σ share², 0, 0                     constants: as in merge/importance.wgsl
// needs merge/importance.wgsl
fn look_at(base: vec4f, x: array<vec4f, MODELS>) {}

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let share = select(vec4f(0.0), vec4f(1.0), is_taken(base, x));
  return mat4x4f(share, share * share, vec4f(0.0), vec4f(0.0));
}
