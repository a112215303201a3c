// y[t, c] = act(gate[t, c]) · up[t, c], or act(up[t, c]) where there is no gate.
// Linked constants: ACTIVATION, GATED.
// needs nn/activations.wgsl
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
