// Population variance of the change δ over the models, element by element; the same for every m.
//                                                            (SCE, arXiv 2408.07990, §3.3 "Select")
// needs lib/delta_variance.wgsl
fn score(quad: u32, m: u32) -> vec4f { return delta_variance(load_base(quad), load_models(quad)); }
