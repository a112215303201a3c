// Histograms of a tile's elements by the digit that each search has come to (lib/search.wgsl), among
// the elements that have the digits found before. A workgroup counts for one search.
//
// A rule supplies `fn score(quad: u32, m: u32) -> vec4f`. Scores are not negative, so their bit patterns
// sort like their values. Linked constants: LANES of a workgroup; OWN_BINS, whether a workgroup counts
// in bins of its own first, so that all do not wait for the same few; PADDED, whether rows are padded.
// needs lib/tile.wgsl
// needs lib/search.wgsl
@group(0) @binding(3) var<storage, read_write> bins: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> searches: array<Search>;

const QUADS = 4096u;

var<workgroup> own: array<atomic<u32>, select(1u, BINS, OWN_BINS)>;

fn count(bin: u32, first_bin: u32) {
  if (OWN_BINS) {
    atomicAdd(&own[bin], 1u);
  } else {
    atomicAdd(&bins[first_bin + bin], 1u);
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let model = searches[group.y].model;
  let last_place = 0xffffffffu >> (32u - searches[group.y].place_bits);
  let first_bin = group.y * BINS;
  let width = searches[group.y].width;
  let stage = searches[group.y].stage;
  let bits = vec4u(searches[group.y].bits);
  // Digits at hand, and those before them.
  let at_hand = vec4u(searches[group.y].shift);
  let mask = vec4u((1u << width) - 1u);
  let before = vec4u(width);
  let found = (select(bits, vec4u(searches[group.y].place), stage == PLACE) >> at_hand) >> before;

  let first_quad = group.x * QUADS;
  var end = min(first_quad + QUADS, (tile.element_count + 3u) / 4u);
  // Nothing to count where the search is over, or where all places lie beside the digits found.
  let first = tile.first_element + 4u * first_quad;
  let ends = last_place - vec4u(first, min(last_place, tile.first_element + 4u * end), 0u, 0u);
  let digits = (ends >> at_hand) >> before;
  let lies_beside = digits.x < found.x || digits.y > found.y;
  if (stage == DONE || (stage == PLACE && lies_beside)) { end = first_quad; }

  if (OWN_BINS) {
    for (var bin = lane; bin < BINS; bin += LANES) { atomicStore(&own[bin], 0u); }
    workgroupBarrier();
  }
  var used = vec4u(0u);
  var zeros = vec4u(0u);
  for (var quad = first_quad + lane; quad < end; quad += LANES) {
    let keys = bitcast<vec4u>(score(quad, model));
    var left = tile.element_count - 4u * quad;
    if (PADDED) { left = tile.row_length - 4u * (quad % tile.row_quads); }
    let is_there = vec4u(0u, 1u, 2u, 3u) < vec4u(left);
    used |= select(vec4u(0u), keys, is_there);
    zeros += select(vec4u(0u), vec4u(1u), is_there & (keys == vec4u(0u)));
    let places = vec4u(last_place - (tile.first_element + 4u * quad)) - vec4u(0u, 1u, 2u, 3u);
    let digits = select(keys, places, stage == PLACE) >> at_hand;
    let is_open = (keys == bits) | vec4<bool>(stage == BITS);
    let counts = is_there & is_open & ((digits >> before) == found);
    let bin = digits & mask;
    if (counts.x) { count(bin.x, first_bin); }
    if (counts.y) { count(bin.y, first_bin); }
    if (counts.z) { count(bin.z, first_bin); }
    if (counts.w) { count(bin.w, first_bin); }
  }
  if (stage == BITS && width + at_hand.x == 31u) {
    atomicOr(&searches[group.y].used, used.x | used.y | used.z | used.w);
    atomicAdd(&searches[group.y].zeros, zeros.x + zeros.y + zeros.z + zeros.w);
  }
  if (OWN_BINS) {
    workgroupBarrier();
    for (var bin = lane; bin < BINS; bin += LANES) {
      let counted = atomicLoad(&own[bin]);
      if (counted > 0u) { atomicAdd(&bins[first_bin + bin], counted); }
    }
  }
}
