// Population variance of the change δ over the models, element by element; the same for every m.
//                                                            (SCE, arXiv 2408.07990, §3.3 "Select")
// needs lib/delta_variance.wgsl
fn score(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4f {
  return delta_variance(base, x);
}
