// x[t, c] *= scale, in place.
struct Shape {
  rows: u32,
  columns: u32,
  stride: u32,
  offset: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.columns || id.y >= shape.rows) { return; }
  x[id.y * shape.stride + shape.offset + id.x] *= shape.scale;
}
