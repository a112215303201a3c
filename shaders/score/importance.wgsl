// Importance of a change, where no divergence is negative.
// needs lib/importance.wgsl
fn score(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4f {
  return importance_of(base, x);
}
