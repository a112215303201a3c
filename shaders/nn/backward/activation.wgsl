// From dy to the gradients of gate and up: dgate = dy · up · act'(gate), dup = dy · act(gate); without
// a gate dup = dy · act'(up). They lie where gate and up do.
//
// Linked constants: ACTIVATION, GATED.
// needs nn/activations.wgsl
struct Shape {
  rows: u32,
  columns: u32,
  x_stride: u32,
  gate_offset: u32,
  up_offset: u32,
  dy_stride: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn slope(x: f32) -> f32 {
  if (ACTIVATION == SILU) {
    let sigmoid = 1.0 / (1.0 + exp(min(-x, 88.0)));
    return sigmoid * (1.0 + x * (1.0 - sigmoid));
  }
  if (ACTIVATION == GELU) {
    return 0.5 * (1.0 + erf(x * 0.70710678)) + x * 0.3989422804 * exp(-0.5 * min(x * x, 170.0));
  }
  if (ACTIVATION == GELU_TANH) {
    let inner = gelu_inner(x);
    // Where x² overflows, 1 - tanh² is 0.
    let bounded = clamp(x, -100.0, 100.0);
    let inner_slope = 0.7978845608 * (1.0 + 0.134145 * bounded * bounded);
    return 0.5 * (1.0 + inner) + 0.5 * bounded * (1.0 - inner * inner) * inner_slope;
  }
  return select(0.0, 1.0, x > 0.0);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let t = id.y;
  if (c >= shape.columns || t >= shape.rows) { return; }
  let start_at = t * shape.x_stride + c;
  let d = dy[t * shape.dy_stride + c];
  let up = x[start_at + shape.up_offset];
  if (GATED) {
    let gate = x[start_at + shape.gate_offset];
    dx[start_at + shape.gate_offset] = d * up * slope(gate);
    dx[start_at + shape.up_offset] = d * activate(gate);
  } else {
    dx[start_at + shape.up_offset] = d * slope(up);
  }
}
