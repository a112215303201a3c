// For each target the point whose inner product with it is largest in size, of those in a strip of
// points that are not taken yet; the earlier of equal ones. `best` has its index and the bits of its
// size, in whose order sizes lie, over all strips so far. NaN is never the largest.
struct Shape {
  points: u32,
  // Values between the products of two targets.
  stride: u32,
  // Index of the strip's first point.
  first: u32,
  taken: u32,
  // Places of a target in `taken`.
  places: u32,
}

@group(0) @binding(0) var<storage, read> products: array<f32>;
@group(0) @binding(1) var<storage, read> taken: array<u32>;
@group(0) @binding(2) var<storage, read_write> best: array<vec2u>;
@group(0) @binding(3) var<uniform> shape: Shape;

const LANES = 64u;
const NONE = 0xffffffffu;
const INFINITY_BITS = 0x7f800000u;

var<workgroup> tops: array<vec2u, LANES>;

fn is_taken(target_index: u32, point: u32) -> bool {
  for (var i = 0u; i < shape.taken; i++) {
    if (taken[target_index * shape.places + i] == point) { return true; }
  }
  return false;
}

fn beats(a: vec2u, b: vec2u) -> bool {
  if (a.x == NONE) { return false; }
  return b.x == NONE || a.y > b.y || (a.y == b.y && a.x < b.x);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let target_index = group.x;
  var top = vec2u(NONE, 0u);
  for (var i = lane; i < shape.points; i += LANES) {
    let size = bitcast<u32>(products[target_index * shape.stride + i]) & 0x7fffffffu;
    let found = vec2u(shape.first + i, size);
    if (size <= INFINITY_BITS && beats(found, top) && !is_taken(target_index, found.x)) { top = found; }
  }
  tops[lane] = top;
  workgroupBarrier();
  if (lane == 0u) {
    if (shape.first > 0u) { top = best[target_index]; } else { top = vec2u(NONE, 0u); }
    for (var i = 0u; i < LANES; i++) {
      if (beats(tops[i], top)) { top = tops[i]; }
    }
    best[target_index] = top;
  }
}
