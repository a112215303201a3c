// Adds up the sums that the lanes of harness/blockwise.wgsl have left, in the order in which it does so
// itself. A lane has one row of a block; the partial sums come to lie behind those of the lanes.
@group(0) @binding(0) var<storage, read_write> sums: array<vec4f>;

const LANES = 64u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let count = arrayLength(&sums) / (LANES + 1u);
  if (id.x >= count) { return; }
  let first = id.x * LANES;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    for (var lane = 0u; lane < half; lane++) { sums[first + lane] += sums[first + lane + half]; }
  }
  sums[LANES * count + id.x] = sums[first];
}
