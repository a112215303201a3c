// Sums of a reduce rule down each column over fixed blocks of 16 rows: one partial sum per block,
// column and row of sums, added up in float64 on the host. A tile begins with a block, so tiling does
// not change a sum. A lane has four neighbouring columns.
//
// A rule supplies `facts` and `look_at` as for harness/blockwise.wgsl. Linked constant ROWS: the number of rows of
// sums.
// needs lib/tile.wgsl
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

const LANES = 64u;
const BLOCK_ROWS = 16u;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quad_of_row = id.x;
  if (quad_of_row >= tile.row_quads) { return; }
  var totals: array<mat4x4f, ROWS>;
  for (var step = 0u; step < BLOCK_ROWS; step++) {
    let quad = (id.y * BLOCK_ROWS + step) * tile.row_quads + quad_of_row;
    if (quad * 4u < tile.element_count) {
      first_element = tile.first_element + 4u * quad;
      let base = load_base(quad);
      let x = load_models(quad);
      look_at(base, x);
      for (var r = 0u; r < ROWS; r++) { totals[r] += facts(base, x, r); }
    }
  }
  let first_column = 4u * (id.y * tile.row_quads + quad_of_row);
  for (var r = 0u; r < ROWS; r++) {
    let by_column = transpose(totals[r]);
    for (var i = 0u; i < 4u; i++) { partials[(first_column + i) * ROWS + r] = by_column[i]; }
  }
}
