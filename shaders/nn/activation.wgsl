// y[t, c] = act(gate[t, c]) · up[t, c], or act(up[t, c]) where there is no gate.
//   silu:      x / (1 + e⁻ˣ)
//   gelu:      x / 2 · (1 + erf(x / √2))
//   gelu_tanh: x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
//
// Linked constants: ACTIVATION, GATED.
struct Shape {
  rows: u32,
  columns: u32,
  x_stride: u32,
  gate_offset: u32,
  up_offset: u32,
  y_stride: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

const SILU = 0u;
const GELU = 1u;
const GELU_TANH = 2u;

// Abramowitz and Stegun 7.1.26: off by at most 1.5e-7.
fn erf(x: f32) -> f32 {
  let z = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - poly * exp(-z * z));
}

fn activate(x: f32) -> f32 {
  // exp(88) is the last that is finite; beyond it the quotient is 0 anyway.
  if (ACTIVATION == SILU) { return x / (1.0 + exp(min(-x, 88.0))); }
  if (ACTIVATION == GELU) { return 0.5 * x * (1.0 + erf(x * 0.70710678)); }
  if (ACTIVATION == GELU_TANH) {
    let inner = 0.7978845608 * (x + 0.044715 * x * x * x);
    return 0.5 * x * (1.0 + tanh(clamp(inner, -15.0, 15.0)));
  }
  return max(x, 0.0);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let t = id.y;
  if (c >= shape.columns || t >= shape.rows) { return; }
  let start_at = t * shape.x_stride + c;
  var value = 0.0;
  if (GATED) {
    value = activate(x[start_at + shape.gate_offset]) * x[start_at + shape.up_offset];
  } else {
    value = activate(x[start_at + shape.up_offset]);
  }
  y[t * shape.y_stride + c] = value;
}
