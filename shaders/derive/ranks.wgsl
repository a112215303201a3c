// Place of each change |δ|, δ = x - base, among those of its line: 0 for the smallest, 1 for the largest,
// (rank - 1) / (length - 1) between; of equal ones the first is the smaller. A line of one has place 0.5.
//                                                  (DELLA, arXiv 2406.11617, §3.1 "MAGPRUNE")
// One workgroup sorts a line by a stable radix sort, four bits at a time: each lane counts the digits of
// its own stretch, so places within a digit follow the stretches' order.
//
// constants: elements of a line, distance between them, number of lines.   tile.model: the model.
// Linked constant PASSES: how many digits a magnitude has.
// needs lib/delta.wgsl
@group(0) @binding(3) var<storage, read_write> places: array<f32>;
@group(0) @binding(4) var<storage, read_write> pairs: array<vec2u>;

const LANES = 64u;
const DIGITS = 16u;
const DIGIT_BITS = 4u;

// By digit, then by lane.
var<workgroup> counts: array<u32, DIGITS * LANES>;
var<workgroup> sums: array<u32, LANES>;

// A magnitude as a whole number of the same order, of 4 · PASSES bits.
fn magnitude_key(element: u32) -> u32 {
  let quad = element / 4u;
  let base = load_base(quad);
  let x = load_quad(tile.model + select(0u, 1u, HAS_BASE), quad);
  let size = abs(delta(base, x))[element % 4u];
  if (ARITHMETIC == BF16) { return bitcast<u32>(size) >> 16u; }
  if (ARITHMETIC == F16) { return f32_to_f16(size); }
  return bitcast<u32>(size);
}

// Turns counts into the number of elements before each, in the order of `counts`.
fn add_up_counts(lane: u32) {
  var own = 0u;
  for (var i = 0u; i < DIGITS; i++) { own += counts[DIGITS * lane + i]; }
  sums[lane] = own;
  workgroupBarrier();
  for (var step = 1u; step < LANES; step *= 2u) {
    var before = 0u;
    if (lane >= step) { before = sums[lane - step]; }
    workgroupBarrier();
    sums[lane] += before;
    workgroupBarrier();
  }
  var running = sums[lane] - own;
  for (var i = 0u; i < DIGITS; i++) {
    let count = counts[DIGITS * lane + i];
    counts[DIGITS * lane + i] = running;
    running += count;
  }
  workgroupBarrier();
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let line = group.x + group.y * groups.x;
  if (line >= u32(constants[2])) { return; }
  let length = u32(constants[0]);
  let stride = u32(constants[1]);
  let first = (line / stride) * 4u * tile.row_quads + line % stride;
  let stretch = (length + LANES - 1u) / LANES;
  let start = min(lane * stretch, length);
  let end = min(start + stretch, length);

  var source = line * 2u * length;
  var sorted = source + length;
  for (var k = start; k < end; k++) { pairs[source + k] = vec2u(magnitude_key(first + k * stride), k); }
  for (var turn = 0u; turn < PASSES; turn += 1u) {
    let shift = DIGIT_BITS * turn;
    for (var digit = 0u; digit < DIGITS; digit++) { counts[digit * LANES + lane] = 0u; }
    for (var k = start; k < end; k++) {
      counts[((pairs[source + k].x >> shift) % DIGITS) * LANES + lane] += 1u;
    }
    workgroupBarrier();
    add_up_counts(lane);
    for (var k = start; k < end; k++) {
      let pair = pairs[source + k];
      let at = ((pair.x >> shift) % DIGITS) * LANES + lane;
      pairs[sorted + counts[at]] = pair;
      counts[at] += 1u;
    }
    storageBarrier();
    workgroupBarrier();
    let last = source;
    source = sorted;
    sorted = last;
  }
  for (var k = start; k < end; k++) {
    let element = first + pairs[source + k].y * stride;
    places[element] = select(f32(k) / f32(length - 1u), 0.5, length == 1u);
  }
}
