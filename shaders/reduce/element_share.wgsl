// Sums for mean and deviation of VaRM's shares by element; one row per model.
//   facts: Σ share, Σ share², 0, 0                     constants: as in lib/element_share.wgsl
// needs lib/element_share.wgsl
var<private> shares: array<vec4f, MODELS>;

fn look_at(base: vec4f, x: array<vec4f, MODELS>) { shares = element_shares(base, x); }

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let share = shares[m];
  return mat4x4f(share, share * share, vec4f(0.0), vec4f(0.0));
}
