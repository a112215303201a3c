// Matrix multiplication without workgroup memory: each invocation sums ROWS × 4 outputs in registers.
// For adapters that compute on the CPU, where barriers cost more than they save. Unrolled by hand:
// SwiftShader keeps an array that is indexed in a loop in memory.
//
// Linked constants: ROWS (per invocation: 1, 4 or 8).
// needs nn/matmul_shape.wgsl
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let o = 4u * id.x;
  let t = ROWS * id.y;
  if (o >= shape.outputs || t >= shape.rows) { return; }
  let at0 = row_at(t);
  let at1 = row_at(t + 1u);
  let at2 = row_at(t + 2u);
  let at3 = row_at(t + 3u);
  let at4 = row_at(t + 4u);
  let at5 = row_at(t + 5u);
  let at6 = row_at(t + 6u);
  let at7 = row_at(t + 7u);
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  let quads = (shape.inputs + 3u) / 4u;
  for (var quad = 0u; quad < quads; quad++) {
    let block = block_of(o, quad, shape.inputs, shape.outputs);
    sum0 += x[at0 + quad] * block;
    if (ROWS >= 4u) {
      sum1 += x[at1 + quad] * block;
      sum2 += x[at2 + quad] * block;
      sum3 += x[at3 + quad] * block;
    }
    if (ROWS >= 8u) {
      sum4 += x[at4 + quad] * block;
      sum5 += x[at5 + quad] * block;
      sum6 += x[at6 + quad] * block;
      sum7 += x[at7 + quad] * block;
    }
  }
  put(t, o, sum0);
  if (ROWS >= 4u) {
    put(t + 1u, o, sum1);
    put(t + 2u, o, sum2);
    put(t + 3u, o, sum3);
  }
  if (ROWS >= 8u) {
    put(t + 4u, o, sum4);
    put(t + 5u, o, sum5);
    put(t + 6u, o, sum6);
    put(t + 7u, o, sum7);
  }
}
