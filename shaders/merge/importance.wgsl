// out = x where the change's importance reaches the threshold, else the base (Arcee Fusion).
//                                                                           constants: threshold
// needs lib/importance.wgsl
fn is_taken(base: vec4f, x: array<vec4f, MODELS>) -> vec4<bool> {
  return importance_of(base, x) >= vec4f(constants[0]);
}

fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  return narrowed(base) + select(vec4f(0.0), delta(base, x[0]), is_taken(base, x));
}
