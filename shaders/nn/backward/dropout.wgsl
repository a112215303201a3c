// y[t, c] (+)= x[t, c] / (1 - p) with probability 1 - p, else 0. What is dropped is a pure function of
// the key and the element t · columns + c, so the backward pass drops the same.
struct Shape {
  rows: u32,
  columns: u32,
  x_stride: u32,
  x_offset: u32,
  y_stride: u32,
  y_offset: u32,
  // Of the first row.
  first: u32,
  key: u32,
  // p · 2³²
  threshold: u32,
  accumulate: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// The finaliser of murmur3.
fn finalise(value: u32) -> u32 {
  var h = value;
  h = (h ^ (h >> 16u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let t = id.y;
  if (c >= shape.columns || t >= shape.rows) { return; }
  let element = (shape.first + t) * shape.columns + c;
  let drawn = finalise(finalise(shape.key ^ (element * 0x9e3779b9u)) + shape.key);
  var value = 0.0;
  if (drawn >= shape.threshold) { value = shape.scale * x[t * shape.x_stride + shape.x_offset + c]; }
  let to = t * shape.y_stride + shape.y_offset + c;
  if (shape.accumulate != 0u) { y[to] += value; } else { y[to] = value; }
}
