// out[a, b] += scale · Σₜ left[t, a] · right[t, b]: the gradient of a matrix, of the outputs' gradients and the
// inputs. Each invocation sums 4 × 4 of them. Rows are whole quads; a stride of 0 repeats one row, so
// that a left row of ones gives sums of columns.
struct Shape {
  rows: u32,
  lefts: u32,
  rights: u32,
  // In quads.
  left_stride: u32,
  left_offset: u32,
  right_stride: u32,
  right_offset: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> left: array<vec4f>;
@group(0) @binding(1) var<storage, read> right: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn add(a: u32, b: u32, sums: vec4f) {
  if (a >= shape.lefts) { return; }
  let at = a * shape.rights + b;
  let count = shape.rights - b;
  out[at] += sums.x;
  if (count > 1u) { out[at + 1u] += sums.y; }
  if (count > 2u) { out[at + 2u] += sums.z; }
  if (count > 3u) { out[at + 3u] += sums.w; }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = 4u * id.y;
  let b = 4u * id.x;
  if (a >= shape.lefts || b >= shape.rights) { return; }
  var left_at = shape.left_offset + id.y;
  var right_at = shape.right_offset + id.x;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var t = 0u; t < shape.rows; t++) {
    let l = left[left_at];
    let r = right[right_at];
    sum0 += l.x * r;
    sum1 += l.y * r;
    sum2 += l.z * r;
    sum3 += l.w * r;
    left_at += shape.left_stride;
    right_at += shape.right_stride;
  }
  add(a, b, shape.scale * sum0);
  add(a + 1u, b, shape.scale * sum1);
  add(a + 2u, b, shape.scale * sum2);
  add(a + 3u, b, shape.scale * sum3);
}
