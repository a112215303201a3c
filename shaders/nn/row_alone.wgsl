// A row (or a head in one) to every invocation: for adapters that compute on the CPU, where a barrier
// costs more than the lanes save.
const LANES = 1u;

fn sum_over_lanes(lane: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < shape.rows) { run(id.x, id.y, 0u); }
}
