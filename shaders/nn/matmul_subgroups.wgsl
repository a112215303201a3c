// As matmul_lanes.wgsl, but sums over lanes are taken by subgroups: one barrier in place of two.
// Nothing is assumed of how lanes lie in subgroups, or how many there are: the first of each writes
// its subgroup's sum to its own place, and every subgroup adds up all places.
//
// Linked constants: ROWS (of a workgroup: 1 or 4).
// enables subgroups
// needs nn/matmul_shape.wgsl
const LANES = 64u;
var<workgroup> partial: array<vec4f, LANES * ROWS>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) rank: u32,
  @builtin(subgroup_size) size: u32,
) {
  let o = 4u * group.x;
  let t = ROWS * group.y;
  let quads = (shape.inputs + 3u) / 4u;
  var sums: array<vec4f, ROWS>;
  for (var quad = lane; quad < quads; quad += LANES) {
    let block = block_of(o, quad, shape.inputs, shape.outputs);
    for (var r = 0u; r < ROWS; r++) { sums[r] += x[row_at(t + r) + quad] * block; }
  }
  for (var r = 0u; r < ROWS; r++) {
    let shared_sum = subgroupAdd(sums[r]);
    partial[r * LANES + lane] = select(vec4f(), shared_sum, rank == 0u);
  }
  workgroupBarrier();
  for (var r = 0u; r < ROWS; r++) {
    var sum = vec4f();
    for (var i = rank; i < LANES; i += size) { sum += partial[r * LANES + i]; }
    sum = subgroupAdd(sum);
    if (lane == 0u) { put(t + r, o, sum); }
  }
}
