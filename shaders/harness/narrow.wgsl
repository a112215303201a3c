// Ends a pass of radix searches: finds the bin that holds each search's element, from the largest digit
// down, and the next digit, or that the search is done. Leaves the bins empty. A workgroup has one
// search.
// needs lib/search.wgsl
@group(0) @binding(0) var<storage, read_write> bins: array<u32>;
@group(0) @binding(1) var<storage, read_write> searches: array<Search>;

const LANES = 64u;
const BINS_PER_LANE = BINS / LANES;

var<workgroup> sums: array<u32, LANES>;

// Goes on in a bin that holds so many elements.
fn narrow(i: u32, bin: u32, count: u32) {
  let shift = searches[i].shift;
  var stage = searches[i].stage;
  var rest = shift;
  if (stage == BITS) {
    searches[i].bits |= bin << shift;
    // Digits that no score has need no pass.
    if ((atomicLoad(&searches[i].used) & ((1u << shift) - 1u)) == 0u) { rest = 0u; }
    if (rest == 0u && searches[i].left < count && searches[i].scores_only == 0u) {
      stage = PLACE;
      searches[i].tied = 1u;
      rest = searches[i].place_bits;
    }
  } else {
    searches[i].place |= bin << shift;
  }
  let width = min(rest, DIGIT_BITS);
  searches[i].width = width;
  searches[i].shift = rest - width;
  searches[i].stage = select(stage, DONE, rest == 0u);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x;
  let mine = (i + 1u) * BINS - lane * BINS_PER_LANE;
  var sum = 0u;
  for (var k = 1u; k <= BINS_PER_LANE; k++) { sum += bins[mine - k]; }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u && searches[i].stage != DONE) {
    var left = searches[i].left;
    var by = 0u;
    while (by < LANES - 1u && sums[by] < left) {
      left -= sums[by];
      by++;
    }
    var bin = BINS - 1u - by * BINS_PER_LANE;
    while (bin > 0u && bins[i * BINS + bin] < left) {
      left -= bins[i * BINS + bin];
      bin--;
    }
    searches[i].left = left;
    narrow(i, bin, bins[i * BINS + bin]);
  }
  storageBarrier();
  workgroupBarrier();
  for (var k = 1u; k <= BINS_PER_LANE; k++) { bins[mine - k] = 0u; }
}
