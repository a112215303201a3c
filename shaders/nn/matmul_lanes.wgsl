// Matrix times one row (decoding): a workgroup's lanes share the sums of four outputs, so that
// neighbouring lanes read neighbouring weights.
// needs nn/matmul_shape.wgsl
const LANES = 64u;
var<workgroup> partial: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = 4u * group.x;
  let t = group.y;
  let at = t * shape.x_stride + shape.x_offset;
  let quads = (shape.inputs + 3u) / 4u;
  var sums = vec4f(0.0);
  for (var quad = lane; quad < quads; quad += LANES) {
    sums += x[at + quad] * block_of(o, quad, shape.inputs, shape.outputs);
  }
  partial[lane] = sums;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  if (lane == 0u) { put(t, o, partial[0]); }
}
