// out = t · mean(x) + (1 - t) · base, with every tensor, product and sum rounded to ARITHMETIC in mergekit's
// order.                                                                       constants: t
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var sum = narrowed(x[0]);
  for (var m = 1u; m < MODELS; m++) { sum = stepped(sum + narrowed(x[m])); }
  let mean = stepped(sum / f32(MODELS));
  let t = constant(0u);
  return stepped(stepped(t * mean) + stepped(stepped(1.0 - t) * narrowed(base)));
}
