// The way back of rope.wgsl: gradients of rotated heads [row, head, padded] to where the projection
// wrote them, turned back by the row's angles: for j < half
//   (g_j, g_{j + half}) → (g_j cos + g_{j + half} sin, g_{j + half} cos - g_j sin).
struct Shape {
  rows: u32,
  heads: u32,
  head_dim: u32,
  half: u32,
  out_stride: u32,
  out_offset: u32,
  out_group: u32,
}

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> angles: array<vec2f>; // cos, sin
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let head = id.x / shape.head_dim;
  let d = id.x % shape.head_dim;
  let row = id.y;
  if (row >= shape.rows || head >= shape.heads) { return; }
  let padded = 4u * ((shape.head_dim + 3u) / 4u);
  let at = (row * shape.heads + head) * padded + d;
  var value = gradients[at];
  let half = shape.half;
  if (d < 2u * half) {
    let upper = d >= half;
    let angle = angles[row * half + select(d, d - half, upper)];
    if (upper) {
      value = value * angle.x - gradients[at - half] * angle.y;
    } else {
      value = value * angle.x + gradients[at + half] * angle.y;
    }
  }
  out[row * shape.out_stride + shape.out_offset + head * shape.out_group + d] = value;
}
