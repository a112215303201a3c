// out[t, column + o] (+)= Σₖ x[t, k] · w[o, k] + bias[o]
//
// The bindings of every matrix multiplication. Rows of x are whole quads, finite up to the end; the
// weights (binding 1) answer `quad_of` and `block_of`.
struct Shape {
  rows: u32,
  inputs: u32,
  outputs: u32,
  // In quads.
  x_stride: u32,
  x_offset: u32,
  out_stride: u32,
  out_column: u32,
  has_bias: u32,
  // Where this panel's biases start.
  bias_first: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

// Where a row of x starts; past the last row it is the last.
fn row_at(t: u32) -> u32 {
  return min(t, shape.rows - 1u) * shape.x_stride + shape.x_offset;
}

// Writes one output of one row, if it exists.
fn put_one(t: u32, o: u32, sum: f32) {
  if (t >= shape.rows || o >= shape.outputs) { return; }
  let at = t * shape.out_stride + shape.out_column + o;
  var value = sum;
  if (shape.has_bias != 0u) { value += bias[shape.bias_first + o]; }
  if (shape.accumulate != 0u) { value += out[at]; }
  out[at] = value;
}

// Writes four neighbouring outputs of one row, as far as they exist.
fn put(t: u32, o: u32, sums: vec4f) {
  put_one(t, o, sums.x);
  put_one(t, o + 1u, sums.y);
  put_one(t, o + 2u, sums.z);
  put_one(t, o + 3u, sums.w);
}
