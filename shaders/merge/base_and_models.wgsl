// out = c₀ base + Σ cₘ₊₁ xₘ                            constants: c₀ of the base, then the models'
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var sum = constants[0] * base;
  for (var m = 0u; m < MODELS; m++) { sum += constants[m + 1u] * x[m]; }
  return sum;
}
