// d = unit · (model − base) for a strip of rows, in f32, each row padded with zeros to whole quads. Of
// every block of 2,048 values: the largest |d| as bits, in whose order NaN and infinity come last, and
// Σ (d / 2^e)² with the largest's power of two, so that no square vanishes or overflows. The host adds
// blocks up in float64.
//
// Linked constants: MODEL, BASE (dtypes; BASE is NONE where the matrix is the model's own).
// needs nn/weights_dtype.wgsl
const NONE = 3u;

struct Shape {
  rows: u32,
  columns: u32,
  // Of a padded row.
  quads: u32,
  unit: f32,
}

@group(0) @binding(0) var<storage, read> model: array<u32>;
@group(0) @binding(1) var<storage, read> base: array<u32>;
@group(0) @binding(2) var<storage, read_write> difference: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> blocks: array<vec2u>;
@group(0) @binding(4) var<uniform> shape: Shape;

const LANES = 64u;
const QUADS_EACH = 8u;
// Partial sums are joined in two steps, as in nn/matmul_lanes.wgsl.
const PARTS = 8u;

var<workgroup> tops: array<u32, LANES>;
var<workgroup> sums: array<f32, LANES>;
var<workgroup> joined: array<f32, PARTS>;

fn half_of(word: u32, i: u32) -> u32 {
  return (word >> (16u * (i % 2u))) & 0xffffu;
}

fn model_at(i: u32) -> f32 {
  if (MODEL == F32) { return bitcast<f32>(model[i]); }
  let half = half_of(model[i / 2u], i);
  if (MODEL == BF16) { return bitcast<f32>(half << 16u); }
  return f16_to_f32(half);
}

fn base_at(i: u32) -> f32 {
  if (BASE == NONE) { return 0.0; }
  if (BASE == F32) { return bitcast<f32>(base[i]); }
  let half = half_of(base[i / 2u], i);
  if (BASE == BF16) { return bitcast<f32>(half << 16u); }
  return f16_to_f32(half);
}

fn difference_at(row: u32, column: u32) -> f32 {
  if (column >= shape.columns) { return 0.0; }
  let i = row * shape.columns + column;
  return shape.unit * (model_at(i) - base_at(i));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * LANES * QUADS_EACH + lane;
  let count = shape.rows * shape.quads;
  var top = 0u;
  for (var i = 0u; i < QUADS_EACH; i++) {
    let quad = first + i * LANES;
    if (quad < count) {
      let row = quad / shape.quads;
      let column = 4u * (quad % shape.quads);
      let d = vec4f(
        difference_at(row, column),
        difference_at(row, column + 1u),
        difference_at(row, column + 2u),
        difference_at(row, column + 3u),
      );
      difference[quad] = d;
      let sizes = bitcast<vec4u>(d) & vec4u(0x7fffffffu);
      top = max(top, max(max(sizes.x, sizes.y), max(sizes.z, sizes.w)));
    }
  }
  tops[lane] = top;
  workgroupBarrier();
  for (var i = 0u; i < LANES; i++) { top = max(top, tops[i]); }
  // 2^-e as bits; clamped so that it is a normal number.
  let scale = bitcast<f32>((254u - clamp(top >> 23u, 1u, 253u)) << 23u);
  var sum = 0.0;
  for (var i = 0u; i < QUADS_EACH; i++) {
    let quad = first + i * LANES;
    if (quad < count) {
      let d = scale * difference[quad];
      sum += dot(d, d);
    }
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane < PARTS) {
    var part = 0.0;
    for (var i = 0u; i < LANES; i += PARTS) { part += sums[lane + i]; }
    joined[lane] = part;
  }
  workgroupBarrier();
  if (lane == 0u) {
    var whole = 0.0;
    for (var i = 0u; i < PARTS; i++) { whole += joined[i]; }
    blocks[group.x] = vec2u(top, bitcast<u32>(whole));
  }
}
