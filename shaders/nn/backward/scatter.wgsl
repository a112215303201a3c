// out[keys[g] · key_stride + c · column_stride] += scale · Σᵢ x[order[i], c] for the rows order[i] of
// group g: i from starts[g] to starts[g + 1]. A sum has its rows' order, so it is the same every time.
struct Shape {
  groups: u32,
  columns: u32,
  x_stride: u32,
  key_stride: u32,
  column_stride: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
// `groups` keys, one more start, then the order.
@group(0) @binding(1) var<storage, read> lists: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let g = id.y;
  if (c >= shape.columns || g >= shape.groups) { return; }
  let order = 2u * shape.groups + 1u;
  let end = lists[shape.groups + g + 1u];
  var sum = 0.0;
  for (var i = lists[shape.groups + g]; i < end; i++) {
    sum += x[lists[order + i] * shape.x_stride + c];
  }
  out[lists[g] * shape.key_stride + c * shape.column_stride] += shape.scale * sum;
}
