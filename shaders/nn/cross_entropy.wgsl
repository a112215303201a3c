// nats[t] = ln Σᵥ exp(z[t, v]) - z[t, target[t]], one workgroup per row.
// Each lane keeps a running maximum and the sum of exp(z - maximum), so the row is read once.
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

const LANES = 64u;
const LOWEST = -1e30;
var<workgroup> highest: array<f32, LANES>;
var<workgroup> total: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let start_at = row * shape.stride;
  var top = LOWEST;
  var sum = 0.0;
  for (var v = lane; v < shape.columns; v += LANES) {
    let z = logits[start_at + v];
    if (z > top) {
      sum = sum * exp(top - z) + 1.0;
      top = z;
    } else {
      sum += exp(z - top);
    }
  }
  highest[lane] = top;
  total[lane] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      let m = max(highest[lane], highest[lane + half]);
      total[lane] = total[lane] * exp(highest[lane] - m)
        + total[lane + half] * exp(highest[lane + half] - m);
      highest[lane] = m;
    }
  }
  if (lane == 0u) {
    let at = shape.first + row;
    nats[at] = highest[0] + log(total[0]) - logits[start_at + targets[at]];
  }
}
