// out = Σ wₘ xₘ                                        constants: w₀ … for each model
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var sum = constant(0u) * x[0];
  for (var m = 1u; m < MODELS; m++) { sum += constant(m) * x[m]; }
  return sum;
}
