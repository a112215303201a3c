// What the two halves of a norm's backward pass share, where x̂ = (x - mean) · r. Rows of `width`
// values, some such rows (heads) in each row of a buffer. Linked with nn/row_lanes.wgsl or
// nn/row_alone.wgsl. Linked constants: CENTRED (layer norm).
// needs nn/row_statistics.wgsl
struct Shape {
  rows: u32,
  width: u32,
  x_stride: u32,
  x_offset: u32,
  x_group: u32,
  dy_stride: u32,
  dy_offset: u32,
  dy_group: u32,
  out_stride: u32,
  out_offset: u32,
  out_group: u32,
  accumulate: u32,
  epsilon: f32,
  weight_offset: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;
