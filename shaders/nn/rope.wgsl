// Rotary positions, and the way of queries, keys and values from where the projections wrote them:
// for j < half = dims / 2, with the angle of the row's position and of j,
//   (x_j, x_{j + half}) → (x_j cos - x_{j + half} sin, x_{j + half} cos + x_j sin).
// Queries go to `q` [row, head, padded], keys and values into the cache [position, head, padded],
// `padded` being head_dim in whole quads, filled up with zeros.
struct Shape {
  rows: u32,
  start: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  half: u32,
  stride: u32,
  q_offset: u32,
  q_group: u32,
  k_offset: u32,
  k_group: u32,
  v_offset: u32,
  v_group: u32,
  first_angle: u32, // where this rope's table starts
}

// Queries and keys (after their norms, where there are some), then values.
@group(0) @binding(0) var<storage, read> turned: array<f32>;
@group(0) @binding(1) var<storage, read> plain: array<f32>;
@group(0) @binding(2) var<storage, read> angles: array<vec2f>; // cos, sin
@group(0) @binding(3) var<storage, read_write> q: array<f32>;
@group(0) @binding(4) var<storage, read_write> keys: array<f32>;
@group(0) @binding(5) var<storage, read_write> values: array<f32>;
@group(0) @binding(6) var<uniform> shape: Shape;

fn rotated(row: u32, at: u32, d: u32) -> f32 {
  let half = shape.half;
  if (d >= 2u * half) { return turned[at + d]; }
  let j = select(d, d - half, d >= half);
  let angle = angles[shape.first_angle + row * half + j];
  if (d < half) { return turned[at + d] * angle.x - turned[at + d + half] * angle.y; }
  return turned[at + d] * angle.x + turned[at + d - half] * angle.y;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let padded = 4u * ((shape.head_dim + 3u) / 4u);
  let slot = id.x / padded;
  let d = id.x % padded;
  let row = id.y;
  if (row >= shape.rows || slot >= shape.heads + 2u * shape.kv_heads) { return; }
  let start_at = row * shape.stride;
  let exists = d < shape.head_dim;
  if (slot < shape.heads) {
    var value = 0.0;
    if (exists) { value = rotated(row, start_at + shape.q_offset + slot * shape.q_group, d); }
    q[(row * shape.heads + slot) * padded + d] = value;
    return;
  }
  let key_head = slot - shape.heads;
  let position = shape.start + row;
  if (key_head < shape.kv_heads) {
    var value = 0.0;
    if (exists) { value = rotated(row, start_at + shape.k_offset + key_head * shape.k_group, d); }
    keys[(position * shape.kv_heads + key_head) * padded + d] = value;
    return;
  }
  let head = key_head - shape.kv_heads;
  var value = 0.0;
  if (exists) { value = plain[start_at + shape.v_offset + head * shape.v_group + d]; }
  values[(position * shape.kv_heads + head) * padded + d] = value;
}
