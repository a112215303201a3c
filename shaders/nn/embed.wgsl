// out[t, c] (+)= scale · table[index[t] - first, c], for indices in [first, first + count): a table
// may lie in several buffers, each of which fills in its own rows.
//
// Linked constants: STORED (dtype).
// needs nn/weights_dtype.wgsl
struct Shape {
  rows: u32,
  columns: u32,
  out_stride: u32,
  first: u32,
  count: u32,
  accumulate: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn value_at(i: u32) -> f32 {
  if (STORED == F32) { return bitcast<f32>(table[i]); }
  let half = (table[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
  if (STORED == BF16) { return bitcast<f32>(half << 16u); }
  return unpack2x16float(half).x;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let t = id.y;
  if (c >= shape.columns || t >= shape.rows) { return; }
  let row = indices[t] - shape.first; // wraps around below `first`, to more than any count
  if (row >= shape.count) { return; }
  let at = t * shape.out_stride + c;
  let value = shape.scale * value_at(row * shape.columns + c);
  if (shape.accumulate != 0u) { out[at] += value; } else { out[at] = value; }
}
