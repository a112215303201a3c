// A row (or a head in one) to every workgroup, whose lanes share it.
const LANES = 64u;
var<workgroup> partial: array<f32, LANES>;

fn sum_over_lanes(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  partial[lane] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  workgroupBarrier();
  return partial[0];
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  run(group.y, group.x, lane);
}
