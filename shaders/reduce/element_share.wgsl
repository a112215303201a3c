// Sums for mean and deviation of VaRM's shares by element; one row per model.
//   facts: Σ share, Σ share², 0, 0                     constants: as in lib/element_share.wgsl
// needs lib/element_share.wgsl
fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let share = element_shares(base, x)[m];
  return mat4x4f(share, share * share, vec4f(0.0), vec4f(0.0));
}
