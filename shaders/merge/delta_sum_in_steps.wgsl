// out = base + λ (Σ wₘ (xₘ - base)) / divisor, with every tensor, product and sum rounded to ARITHMETIC
// in mergekit's order.                                 constants: λ, divisor; then w₀ … for each model
// needs lib/delta.wgsl
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var sum = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) { sum += stepped(constants[m + 2u] * delta(base, x[m])); }
  var change = stepped(sum);
  if (constants[1] != 1.0) { change = stepped(change / constants[1]); }
  if (constants[0] != 1.0) { change = stepped(constants[0] * change); }
  return stepped(narrowed(base) + change);
}
