// The released FuseChat merge at the level of single parameters ("avg_item"): weights f / max(Σf,
// 1e-13), models in bf16. The weights are f32 tensors here, not numbers, so torch multiplies and adds
// in f32, and only the result is rounded to bf16. Where no model moved an element its weights are all
// 0 and so is the result: the reference does that, and it is why the paper's ablation of this level
// failed.
// constants: statistic (0 square, 1 abs, 2 signed)
fn statistic(d: vec4f) -> vec4f {
  if (constants[0] == 0.0) { return d * d; }
  if (constants[0] == 1.0) { return abs(d); }
  return d;
}

fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var total = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) { total += statistic(x[m] - base); }
  total = max(total, vec4f(1e-13));
  var sum = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    sum += statistic(x[m] - base) / total * round_to_bf16(x[m]);
  }
  return round_to_bf16(sum);
}
