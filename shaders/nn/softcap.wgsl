// x = cap · tanh(x / cap), in place.
struct Shape {
  rows: u32,
  columns: u32,
  stride: u32,
  cap: f32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.columns || id.y >= shape.rows) { return; }
  let at = id.y * shape.stride + id.x;
  x[at] = shape.cap * tanh(clamp(x[at] / shape.cap, -15.0, 15.0));
}
