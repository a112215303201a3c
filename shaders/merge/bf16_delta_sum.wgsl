// Task arithmetic as mergekit computes it with `dtype: bfloat16`: every tensor, weight, product and
// sum is rounded to bf16.
//   change = Σ wₘ (xₘ - base), / divisor, · λ;   out = base + change
// constants: w₀ … for each model, divisor, λ
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  let b = round_to_bf16(base);
  var change = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let weight = round_to_bf16(vec4f(constants[m]));
    let delta = round_to_bf16(round_to_bf16(x[m]) - b);
    change += round_to_bf16(weight * delta);
  }
  change = round_to_bf16(change);
  change = round_to_bf16(change / constants[MODELS]);
  change = round_to_bf16(change * constants[MODELS + 1u]);
  return round_to_bf16(b + change);
}
