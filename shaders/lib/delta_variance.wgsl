// Population variance over the models of δ = x - base. Differences to the first model's δ keep it
// exactly 0 where all models agree.
fn delta_variance(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  let first = x[0] - base;
  var mean = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) { mean += (x[m] - base) - first; }
  mean /= f32(MODELS);
  var sum = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let apart = ((x[m] - base) - first) - mean;
    sum += apart * apart;
  }
  return sum / f32(MODELS);
}
