// Population variance over the models of δ = x - base, in units of 2^-80: differences are measured in
// 2^-40, so that the squares of those down to 1e-31 do not vanish, and held below infinity, which
// those from 1e7 on would reach. Differences to the first model's δ keep it exactly 0 where all models
// agree.
// needs lib/delta.wgsl
const SPREAD_UNIT = 1099511627776.0;
const LARGEST_SPREAD = 3.4e38;

fn delta_variance(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  let first = delta(base, x[0]);
  var mean = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) { mean += SPREAD_UNIT * (delta(base, x[m]) - first); }
  mean /= f32(MODELS);
  var sum = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let apart = SPREAD_UNIT * (delta(base, x[m]) - first) - mean;
    sum += apart * apart;
  }
  let variance = min(sum / f32(MODELS), vec4f(LARGEST_SPREAD));
  if (ARITHMETIC == F32) { return variance; }
  let unit = SPREAD_UNIT * SPREAD_UNIT;
  return min(unit * stepped(variance / unit), vec4f(LARGEST_SPREAD));
}
