// Matrix multiplication in tiles: SIDE × SIDE invocations load a strip of x and of w into workgroup
// memory, then each sums DOWN rows × 4 outputs in registers. An invocation's rows and outputs are SIDE
// apart, so that neighbours read and write neighbouring places.
//
// Linked constants: SIDE, DOWN.
// needs nn/matmul_shape.wgsl
const ROWS = SIDE * DOWN;
const OUTPUTS = SIDE * 4u;
// Quads of inputs in a strip.
const DEPTH = 4u;
// [quad][row] and [quad][output].
var<workgroup> x_tile: array<vec4f, ROWS * DEPTH>;
var<workgroup> w_tile: array<Kept, OUTPUTS * DEPTH>;

fn put_across(t: u32, o: u32, sums: vec4f) {
  put_one(t, o, sums.x);
  put_one(t, o + SIDE, sums.y);
  put_one(t, o + 2u * SIDE, sums.z);
  put_one(t, o + 3u * SIDE, sums.w);
}

// Loads the strip of both that starts at a quad; zeros past the last.
fn load_strip(t0: u32, o0: u32, start: u32, quads: u32, lane: u32) {
  let quad = start + lane % DEPTH;
  let slot = lane / DEPTH;
  let exists = quad < quads;
  for (var line = slot; line < ROWS; line += SIDE * SIDE / DEPTH) {
    var loaded = vec4f();
    if (exists) { loaded = x[row_at(t0 + line) + quad]; }
    x_tile[(lane % DEPTH) * ROWS + line] = loaded;
  }
  for (var line = slot; line < OUTPUTS; line += SIDE * SIDE / DEPTH) {
    var loaded = vec4f();
    if (exists) {
      loaded = quad_of(min(o0 + line, shape.outputs - 1u), quad, shape.inputs, shape.outputs);
    }
    w_tile[(lane % DEPTH) * OUTPUTS + line] = Kept(loaded);
  }
}

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let t0 = ROWS * group.y;
  let o0 = OUTPUTS * group.x;
  let quads = (shape.inputs + 3u) / 4u;
  var sums: array<vec4f, DOWN>;
  for (var start = 0u; start < quads; start += DEPTH) {
    load_strip(t0, o0, start, quads, lane);
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let at = d * OUTPUTS + id.x;
      let block = mat4x4f(
        vec4f(w_tile[at]),
        vec4f(w_tile[at + SIDE]),
        vec4f(w_tile[at + 2u * SIDE]),
        vec4f(w_tile[at + 3u * SIDE]),
      );
      for (var i = 0u; i < DOWN; i++) {
        sums[i] += x_tile[d * ROWS + i * SIDE + id.y] * block;
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < DOWN; i++) { put_across(t0 + i * SIDE + id.y, o0 + id.x, sums[i]); }
}
