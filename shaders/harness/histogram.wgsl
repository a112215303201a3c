// Histogram of a tile's elements by score, or by index among those of one score: the passes of an
// exact selection of the largest (merge/run/select.ts). Scores are not negative, so their bit patterns
// sort like their values.
//
// A rule supplies `fn score(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4f`.
// constants: upper 16 and lower 15 bits of a score.   tile.model: the model to score.
// Linked constant KEY: 0 counts by upper bits; 1, among those with the upper bits, by lower bits;
// 2, among those with the score, by block of 2,048 elements; 3, by index in the tile's first block.
// needs lib/tile.wgsl
@group(0) @binding(3) var<storage, read_write> bins: array<atomic<u32>>;

const LANES = 64u;
const LOWER_BITS = 15u;
const BLOCK_BITS = 11u;

fn count(bits: u32, place: u32) {
  let upper = bits >> LOWER_BITS;
  let lower = bits & ((1u << LOWER_BITS) - 1u);
  if (KEY == 0u) {
    atomicAdd(&bins[upper], 1u);
    return;
  }
  if (upper != u32(constants[0])) { return; }
  if (KEY == 1u) {
    atomicAdd(&bins[lower], 1u);
    return;
  }
  if (lower != u32(constants[1])) { return; }
  if (KEY == 2u) {
    atomicAdd(&bins[place >> BLOCK_BITS], 1u);
  } else if (place < (1u << BLOCK_BITS)) {
    atomicAdd(&bins[place], 1u);
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  if (quad * 4u >= tile.element_count) { return; }
  let bits = bitcast<vec4u>(score(load_base(quad), load_models(quad), tile.model));
  let left = min(4u, tile.row_length - 4u * (quad % tile.row_quads));
  for (var i = 0u; i < left; i++) { count(bits[i], quad * 4u + i); }
}
