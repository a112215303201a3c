// out[t, o] += Σⱼ low[t, j] · b[o, j], for a few j: four rows and a quad of outputs to an invocation. The
// sums are short, so it is the way out that counts: rows start at whole quads and are written in them.
struct Shape {
  rows: u32,
  rank: u32,
  outputs: u32,
  // In quads.
  low_stride: u32,
  low_offset: u32,
  out_stride: u32,
  out_offset: u32,
}

@group(0) @binding(0) var<storage, read> low: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn quad_at(i: u32) -> vec4f { return vec4f(b[i], b[i + 1u], b[i + 2u], b[i + 3u]); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let o = 4u * id.x;
  let t = 4u * id.y;
  if (o >= shape.outputs || t >= shape.rows) { return; }
  // Past the last output or row, the last one is read again.
  let at = min(vec4u(o, o + 1u, o + 2u, o + 3u), vec4u(shape.outputs - 1u)) * shape.rank;
  let last = vec4u(shape.rows - 1u);
  let low_at = min(vec4u(t, t + 1u, t + 2u, t + 3u), last) * shape.low_stride + shape.low_offset;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var quad = 0u; 4u * quad < shape.rank; quad++) {
    // What a row of b has past the rank is met by zeros in low.
    let block = mat4x4f(
      quad_at(at.x + 4u * quad),
      quad_at(at.y + 4u * quad),
      quad_at(at.z + 4u * quad),
      quad_at(at.w + 4u * quad),
    );
    sum0 += low[low_at.x + quad] * block;
    sum1 += low[low_at.y + quad] * block;
    sum2 += low[low_at.z + quad] * block;
    sum3 += low[low_at.w + quad] * block;
  }
  let exists = vec4u(o, o + 1u, o + 2u, o + 3u) < vec4u(shape.outputs);
  let to = t * shape.out_stride + shape.out_offset + id.x;
  out[to] += select(vec4f(), sum0, exists);
  if (t + 1u < shape.rows) { out[to + shape.out_stride] += select(vec4f(), sum1, exists); }
  if (t + 2u < shape.rows) { out[to + 2u * shape.out_stride] += select(vec4f(), sum2, exists); }
  if (t + 3u < shape.rows) { out[to + 3u * shape.out_stride] += select(vec4f(), sum3, exists); }
}
