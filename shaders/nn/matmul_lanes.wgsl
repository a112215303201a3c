// Matrix times few rows (decoding): a workgroup's lanes share the sums of four outputs of ROWS rows,
// so that neighbouring lanes read neighbouring weights, and each weight is read once for all rows.
//
// Linked constants: ROWS (of a workgroup: 1 or 4).
// needs nn/matmul_shape.wgsl
const LANES = 64u;
// A row's partial sums are joined in two steps, this many in the last: few barriers, which llvmpipe
// takes seconds each to compile.
const PARTS = 8u;
var<workgroup> partial: array<vec4f, LANES * ROWS>;
var<workgroup> joined: array<vec4f, PARTS * ROWS>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let o = 4u * group.x;
  let t = ROWS * group.y;
  let quads = (shape.inputs + 3u) / 4u;
  var sums: array<vec4f, ROWS>;
  for (var quad = lane; quad < quads; quad += LANES) {
    let block = block_of(o, quad, shape.inputs, shape.outputs);
    for (var r = 0u; r < ROWS; r++) { sums[r] += x[row_at(t + r) + quad] * block; }
  }
  for (var r = 0u; r < ROWS; r++) { partial[r * LANES + lane] = sums[r]; }
  workgroupBarrier();
  if (lane < PARTS * ROWS) {
    let first = lane / PARTS * LANES + lane % PARTS;
    var sum = vec4f();
    for (var i = 0u; i < LANES; i += PARTS) { sum += partial[first + i]; }
    joined[lane] = sum;
  }
  workgroupBarrier();
  if (lane < ROWS) {
    var sum = vec4f();
    for (var i = 0u; i < PARTS; i++) { sum += joined[lane * PARTS + i]; }
    put(t + lane, o, sum);
  }
}
