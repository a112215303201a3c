// Matrix multiplication without workgroup memory: each invocation sums ROWS × 4 outputs in registers.
// For adapters that compute on the CPU, where barriers cost more than they save, and for few rows.
//
// Linked constants: ROWS (per invocation).
// needs nn/matmul_shape.wgsl
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let o = 4u * id.x;
  let t = ROWS * id.y;
  if (o >= shape.outputs || t >= shape.rows) { return; }
  var at: array<u32, ROWS>;
  var sums: array<vec4f, ROWS>;
  for (var i = 0u; i < ROWS; i++) {
    at[i] = min(t + i, shape.rows - 1u) * shape.x_stride + shape.x_offset;
  }
  let quads = (shape.inputs + 3u) / 4u;
  for (var quad = 0u; quad < quads; quad++) {
    let block = block_of(o, quad, shape.inputs, shape.outputs);
    for (var i = 0u; i < ROWS; i++) {
      sums[i] += x[at[i] + quad] * block;
    }
  }
  for (var i = 0u; i < ROWS; i++) { put(t + i, o, sums[i]); }
}
