// Matrix multiplication in tiles of 64 × 64 outputs: 256 invocations load a strip of x and of w into
// workgroup memory, then each sums 4 × 4 outputs in registers. An invocation's rows and outputs are
// 16 apart, so that neighbours read and write neighbouring places.
// needs nn/matmul_shape.wgsl
const TILE = 64u;
// Quads of inputs in a strip.
const DEPTH = 4u;
// [quad][row] and [quad][output].
var<workgroup> x_tile: array<vec4f, TILE * DEPTH>;
var<workgroup> w_tile: array<vec4f, TILE * DEPTH>;

fn dots(xs: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
  return vec4f(dot(xs, w0), dot(xs, w1), dot(xs, w2), dot(xs, w3));
}

fn put_across(t: u32, o: u32, sums: vec4f) {
  put_one(t, o, sums.x);
  put_one(t, o + 16u, sums.y);
  put_one(t, o + 32u, sums.z);
  put_one(t, o + 48u, sums.w);
}

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let t0 = TILE * group.y;
  let o0 = TILE * group.x;
  let quads = (shape.inputs + 3u) / 4u;
  // What this invocation loads of every strip.
  let line = lane / DEPTH;
  let depth = lane % DEPTH;
  let x_row = min(t0 + line, shape.rows - 1u) * shape.x_stride + shape.x_offset;
  let w_row = min(o0 + line, shape.outputs - 1u);
  let slot = depth * TILE + line;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var start = 0u; start < quads; start += DEPTH) {
    let quad = start + depth;
    var x_quad = vec4f();
    var w_quad = vec4f();
    if (quad < quads) {
      x_quad = x[x_row + quad];
      w_quad = quad_of(w_row, quad, shape.inputs, shape.outputs);
    }
    x_tile[slot] = x_quad;
    w_tile[slot] = w_quad;
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let w_at = d * TILE + id.x;
      let w0 = w_tile[w_at];
      let w1 = w_tile[w_at + 16u];
      let w2 = w_tile[w_at + 32u];
      let w3 = w_tile[w_at + 48u];
      let x_at = d * TILE + id.y;
      sum0 += dots(x_tile[x_at], w0, w1, w2, w3);
      sum1 += dots(x_tile[x_at + 16u], w0, w1, w2, w3);
      sum2 += dots(x_tile[x_at + 32u], w0, w1, w2, w3);
      sum3 += dots(x_tile[x_at + 48u], w0, w1, w2, w3);
    }
    workgroupBarrier();
  }
  let t = t0 + id.y;
  let o = o0 + id.x;
  put_across(t, o, sum0);
  put_across(t + 16u, o, sum1);
  put_across(t + 32u, o, sum2);
  put_across(t + 48u, o, sum3);
}
