// Sums of a reduce rule over fixed blocks of 2,048 elements of each row (a whole tensor is one row):
// one partial sum per block and row of sums, added up in float64 on the host. Blocks are counted from
// the row's first element and the order of additions is fixed, so a device gives the same bits however
// the tensor is cut into tiles. Within a block a sum of positive terms is off by at most 8 + 2 + 6
// roundings, about 1e-6 of itself.
//
// A rule supplies `fn facts(base: vec4f, x: array<vec4f, MODELS>, row: u32) -> mat4x4f`, one row of
// four sums: column k holds the terms of sum k for four neighbouring elements; and `fn look_at(base, x)`,
// called before its rows, for what they have in common. Linked constants: ROWS,
// the number of rows of sums; PADDED, whether the last quad of a row is padded; LANE_SUMS, whether the
// sums of the lanes are left to harness/join_lanes.wgsl, which adds them up in the same order without
// barriers.
// needs lib/tile.wgsl
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

const LANES = 64u;
const QUADS_PER_LANE = 8u;
const ONES = vec4f(1.0);

var<workgroup> sums: array<vec4f, LANES>;

// Terms of a quad without those of its row's padding.
fn without_padding(terms: mat4x4f, in_row: u32) -> mat4x4f {
  let is_element = 4u * in_row + vec4u(0u, 1u, 2u, 3u) < vec4u(tile.row_length);
  var left: mat4x4f;
  for (var k = 0u; k < 4u; k++) { left[k] = select(vec4f(0.0), terms[k], is_element); }
  return left;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let blocks = (tile.row_quads + QUADS_PER_LANE * LANES - 1u) / (QUADS_PER_LANE * LANES);
  let first_quad = (group.x / blocks) * tile.row_quads;
  let block = group.x % blocks;
  var totals: array<mat4x4f, ROWS>;
  for (var step = 0u; step < QUADS_PER_LANE; step++) {
    let in_row = (block * QUADS_PER_LANE + step) * LANES + lane;
    if (in_row < tile.row_quads) {
      let quad = first_quad + in_row;
      first_element = tile.first_element + 4u * quad;
      let base = load_base(quad);
      let x = load_models(quad);
      look_at(base, x);
      for (var r = 0u; r < ROWS; r++) {
        var terms = facts(base, x, r);
        if (PADDED) { terms = without_padding(terms, in_row); }
        totals[r] += terms;
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    let t = totals[r];
    let sum = vec4f(dot(t[0], ONES), dot(t[1], ONES), dot(t[2], ONES), dot(t[3], ONES));
    if (LANE_SUMS) {
      partials[(group.x * ROWS + r) * LANES + lane] = sum;
    } else {
      workgroupBarrier();
      sums[lane] = sum;
      for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { sums[lane] += sums[lane + half]; }
      }
      if (lane == 0u) { partials[group.x * ROWS + r] = sums[0]; }
    }
  }
}
