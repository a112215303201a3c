// How much the models' changes differ at an element: the population variance of δ over the models,
// the same for every m.                                   (SCE, arXiv 2408.07990, §3.3 "Select")
// needs lib/delta_variance.wgsl
fn score(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4f {
  return delta_variance(base, x);
}
