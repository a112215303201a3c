// Matrix multiplication in tiles of 64 × 64 outputs: 256 invocations load a strip of x and of w into
// workgroup memory, then each sums 4 × 4 outputs in registers.
// needs nn/matmul_shape.wgsl
const TILE = 64u;
// Quads of inputs in a strip.
const DEPTH = 4u;
var<workgroup> x_tile: array<vec4f, TILE * DEPTH>;
var<workgroup> w_tile: array<mat4x4f, (TILE / 4u) * DEPTH>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let t0 = TILE * group.y;
  let o0 = TILE * group.x;
  let quads = (shape.inputs + 3u) / 4u;
  var sums: array<vec4f, 4>;
  for (var start = 0u; start < quads; start += DEPTH) {
    let row = t0 + lane / DEPTH;
    let quad = start + lane % DEPTH;
    var loaded = vec4f(0.0);
    if (row < shape.rows && quad < quads) {
      loaded = x[row * shape.x_stride + shape.x_offset + quad];
    }
    x_tile[lane] = loaded;
    if (lane < (TILE / 4u) * DEPTH) {
      var block: mat4x4f;
      if (quad < quads) {
        block = block_of(o0 + 4u * (lane / DEPTH), quad, shape.inputs, shape.outputs);
      }
      w_tile[lane] = block;
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let block = w_tile[id.x * DEPTH + d];
      for (var i = 0u; i < 4u; i++) {
        sums[i] += x_tile[(4u * id.y + i) * DEPTH + d] * block;
      }
    }
    workgroupBarrier();
  }
  let o = o0 + 4u * id.x;
  for (var i = 0u; i < 4u; i++) { put(t0 + 4u * id.y + i, o, sums[i]); }
}
