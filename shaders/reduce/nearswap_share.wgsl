// Sums for mean and deviation of the share that NearSwap gives the model.
//   facts: Σ share, Σ share², 0, 0                     constants: as in merge/nearswap.wgsl
// needs merge/nearswap.wgsl
fn look_at(base: vec4f, x: array<vec4f, MODELS>) {}

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let share = swapped_share(narrowed(base), narrowed(x[m]));
  return mat4x4f(share, share * share, vec4f(0.0), vec4f(0.0));
}
