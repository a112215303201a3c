// The released FuseChat merge: models are cast to bf16, every product and every sum is rounded to
// bf16 (FuseChat/merge/VaRM/merge.py).                 constants: w₀ … for each model
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var sum = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let product = round_to_bf16(constants[m] * round_to_bf16(x[m]));
    sum = round_to_bf16(sum + product);
  }
  return sum;
}
