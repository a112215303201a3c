// out[t, v] = logits[first + t · columns + v] as f32. The logits are f32, or f16 in pairs.
//
// Linked constant: HALF.
// needs lib/float.wgsl
struct Shape {
  rows: u32,
  columns: u32,
  /** The first row's first value, counted from the start of the binding. */
  first: u32,
  out_stride: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let v = id.x;
  let t = id.y;
  if (v >= shape.columns || t >= shape.rows) { return; }
  let at = shape.first + t * shape.columns + v;
  var value: f32;
  if (HALF) {
    value = f16_to_f32((logits[at / 2u] >> (16u * (at % 2u))) & 0xffffu);
  } else {
    value = bitcast<f32>(logits[at]);
  }
  out[t * shape.out_stride + v] = value;
}
