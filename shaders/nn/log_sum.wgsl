// ln Σ exp z of a row that a workgroup shares, read once: each lane keeps a running maximum and the
// sum of exp(z - maximum) as vec2f(maximum, sum), starting from NO_LOGITS.
const LANES = 64u;
const LOWEST = -1e30;
const NO_LOGITS = vec2f(LOWEST, 0.0);
var<workgroup> sums: array<vec2f, LANES>;

fn with_logit(sum: vec2f, z: f32) -> vec2f {
  if (z > sum.x) { return vec2f(z, sum.y * exp(sum.x - z) + 1.0); }
  return vec2f(sum.x, sum.y + exp(z - sum.x));
}

// Of all lanes, to each of them; LOWEST or less where none has seen a logit.
fn log_sum_of_lanes(lane: u32, sum: vec2f) -> f32 {
  sums[lane] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      let one = sums[lane];
      let other = sums[lane + half];
      let m = max(one.x, other.x);
      sums[lane] = vec2f(m, one.y * exp(one.x - m) + other.y * exp(other.x - m));
    }
  }
  workgroupBarrier();
  return sums[0].x + log(sums[0].y);
}
