// Σ g² over stretches of 4,096 values, one partial each; the host adds them up in float64. The tree is
// fixed, so the same gradients give the same norm.
struct Shape {
  // Values of the tensor.
  count: u32,
  // Where this tensor's partials begin.
  first: u32,
  // Workgroups in a row of the dispatch.
  row: u32,
}

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

const LANES = 64u;
const STRETCH = 4096u;

var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let stretch = group.y * shape.row + group.x;
  let start = stretch * STRETCH;
  var sum = 0.0;
  for (var i = lane; i < STRETCH; i += LANES) {
    if (start + i < shape.count) {
      let g = gradient[start + i];
      sum += g * g;
    }
  }
  sums[lane] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  if (lane == 0u && start < shape.count) { partials[shape.first + stretch] = sums[0]; }
}
