// out = base + Σ wₘ (xₘ - base)                        constants: w₀ … for each model
// Where no model moved, the base comes back bit for bit.
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var change = constant(0u) * (x[0] - base);
  for (var m = 1u; m < MODELS; m++) { change += constant(m) * (x[m] - base); }
  return base + change;
}
