// Importance of a change, where no divergence is negative.
// needs lib/importance.wgsl
fn score(quad: u32, m: u32) -> vec4f {
  return importance_of(load_base(quad), load_models(quad));
}
