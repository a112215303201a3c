// rms:   y (+)= x / √(mean(x²) + ε) · (w + offset)
// layer: y (+)= (x - mean(x)) / √(mean((x - mean(x))²) + ε) · (w + offset) + b
//
// Rows of `width` values; some such rows (heads) lie in each row of a buffer. Linked with nn/row_lanes.wgsl
// or nn/row_alone.wgsl, which say who takes a row.
//
// Linked constants: CENTRED (layer norm).
// needs nn/row_statistics.wgsl
struct Shape {
  rows: u32,
  width: u32,
  x_stride: u32,
  x_offset: u32,
  x_group: u32,
  y_stride: u32,
  y_offset: u32,
  y_group: u32,
  accumulate: u32,
  epsilon: f32,
  weight_offset: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

fn run(row: u32, head: u32, lane: u32) {
  let start_at = row * shape.x_stride + shape.x_offset + head * shape.x_group;
  let to = row * shape.y_stride + shape.y_offset + head * shape.y_group;
  let found = statistics(lane, start_at);
  for (var c = lane; c < shape.width; c += LANES) {
    var value = (x[start_at + c] - found.x) * found.y * (weight[c] + shape.weight_offset);
    if (CENTRED) { value += bias[c]; }
    if (shape.accumulate != 0u) { y[to + c] += value; } else { y[to + c] = value; }
  }
}
