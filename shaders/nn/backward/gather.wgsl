// out[t, c] = scale · table[c, indices[t]]: columns of a matrix as rows.
struct Shape {
  rows: u32,
  columns: u32,
  table_stride: u32,
  out_stride: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let t = id.y;
  if (c >= shape.columns || t >= shape.rows) { return; }
  out[t * shape.out_stride + c] = shape.scale * table[c * shape.table_stride + indices[t]];
}
