// nats[t] = ln Σᵥ exp(z[t, v]) - z[t, target[t]], one workgroup per row.
// needs nn/log_sum.wgsl
struct Shape {
  columns: u32,
  stride: u32,
  // Of the first row among the targets and the results.
  first: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read_write> nats: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let start_at = row * shape.stride;
  var sum = NO_LOGITS;
  for (var v = lane; v < shape.columns; v += LANES) { sum = with_logit(sum, logits[start_at + v]); }
  let lse = log_sum_of_lanes(lane, sum);
  if (lane == 0u) {
    let at = shape.first + row;
    nats[at] = lse - logits[start_at + targets[at]];
  }
}
