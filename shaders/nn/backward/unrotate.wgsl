// The way back of rope.wgsl: gradients of queries, keys and values [row, head, padded] to where the
// projections wrote them, those of queries and keys turned back by the row's angles: for j < half
//   (g_j, g_{j + half}) → (g_j cos + g_{j + half} sin, g_{j + half} cos - g_j sin).
// Of the heads, queries first, then keys, then values, it takes `count` from `first` on.
struct Shape {
  rows: u32,
  first: u32,
  count: u32,
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

@group(0) @binding(0) var<storage, read> d_q: array<f32>;
@group(0) @binding(1) var<storage, read> d_keys: array<f32>;
@group(0) @binding(2) var<storage, read> d_values: array<f32>;
@group(0) @binding(3) var<storage, read> angles: array<vec2f>; // cos, sin
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> shape: Shape;

// Of the dimension d, from its own gradient and that of the other one of its pair.
fn turned_back(row: u32, d: u32, own: f32, other: f32) -> f32 {
  let half = shape.half;
  if (d >= 2u * half) { return own; }
  let angle = angles[shape.first_angle + row * half + select(d, d - half, d >= half)];
  return own * angle.x + select(other, -other, d >= half) * angle.y;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let slot = shape.first + id.x / shape.head_dim;
  let d = id.x % shape.head_dim;
  let row = id.y;
  if (row >= shape.rows || slot >= shape.first + shape.count) { return; }
  let padded = 4u * ((shape.head_dim + 3u) / 4u);
  // The other dimension of a pair; itself where it is not turned.
  let half = shape.half;
  let partner = select(select(d + half, d - half, d >= half), d, d >= 2u * half);
  let to = row * shape.stride + d;
  if (slot < shape.heads) {
    let at = (row * shape.heads + slot) * padded;
    out[to + shape.q_offset + slot * shape.q_group] = turned_back(row, d, d_q[at + d], d_q[at + partner]);
    return;
  }
  let key_head = slot - shape.heads;
  if (key_head < shape.kv_heads) {
    let at = (row * shape.kv_heads + key_head) * padded;
    out[to + shape.k_offset + key_head * shape.k_group] =
      turned_back(row, d, d_keys[at + d], d_keys[at + partner]);
    return;
  }
  let head = key_head - shape.kv_heads;
  let at = (row * shape.kv_heads + head) * padded;
  out[to + shape.v_offset + head * shape.v_group] = d_values[at + d];
}
