// out[t, column + o] (+)= Σₖ x[t, k] · w[o, k] + bias[o]
//
// The bindings of every matrix multiplication. Rows of x are whole quads, finite up to the end; the
// weights (binding 1) answer `block_of`, whose product with a quad of x is four outputs' part.
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
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

// Writes four neighbouring outputs of one row, as far as they exist.
fn put(t: u32, o: u32, sums: vec4f) {
  if (t >= shape.rows) { return; }
  let count = min(4u, shape.outputs - min(o, shape.outputs));
  for (var j = 0u; j < count; j++) {
    let at = t * shape.out_stride + shape.out_column + o + j;
    var value = sums[j];
    if (shape.has_bias != 0u) { value += bias[o + j]; }
    if (shape.accumulate != 0u) { value += out[at]; }
    out[at] = value;
  }
}
