// Attention of many queries: a workgroup takes QUERIES neighbouring rows of one head, and every block
// of KEYS keys and values comes into workgroup memory once for all of them. PARTS lanes share a row:
// of the scores each takes every fourth key, of the sum every fourth quad of the head.
// Heads of up to 32 quads fit.
// needs nn/attention_shape.wgsl
const QUERIES = 16u;
const PARTS = 4u;
const LANES = QUERIES * PARTS;
// What 16 KiB of workgroup memory hold.
const KEYS = select(16u, 8u, QUADS > 24u);
// Of a lane.
const SCORES = KEYS / PARTS;
const HELD = (QUADS + PARTS - 1u) / PARTS;
// One quad more than a head has: neighbouring rows then lie in other banks.
const WIDTH = QUADS + 1u;

var<workgroup> queries: array<vec4f, QUERIES * WIDTH>;
// Keys, and then the values of the same positions.
var<workgroup> block: array<vec4f, KEYS * WIDTH>;
var<workgroup> scores: array<f32, QUERIES * KEYS>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.x;
  let t0 = QUERIES * group.y;
  let row = lane / PARTS;
  let part = lane % PARTS;
  let final_row = shape.rows - 1u;
  let t = min(t0 + row, final_row);
  let position = shape.start + t;
  let visible = first_key(position);
  let last = shape.start + min(t0 + QUERIES - 1u, final_row);
  for (var i = lane; i < QUERIES * QUADS; i += LANES) {
    let r = min(t0 + i / QUADS, final_row);
    queries[i / QUADS * WIDTH + i % QUADS] = q[(r * shape.heads + head) * QUADS + i % QUADS];
  }

  var sum: array<vec4f, HELD>;
  var highest = LOWEST;
  var total = 0.0;
  for (var first = first_key(shape.start + t0); first <= last; first += KEYS) {
    for (var i = lane; i < KEYS * QUADS; i += LANES) {
      let at = key_at(min(first + i / QUADS, last), head) + i % QUADS;
      block[i / QUADS * WIDTH + i % QUADS] = keys[at];
    }
    workgroupBarrier();
    var products = array<f32, SCORES>();
    for (var i = 0u; i < QUADS; i++) {
      let some = queries[row * WIDTH + i];
      for (var k = 0u; k < SCORES; k++) {
        products[k] += dot(some, block[(part + k * PARTS) * WIDTH + i]);
      }
    }
    for (var k = 0u; k < SCORES; k++) {
      let j = first + part + k * PARTS;
      let seen = j >= visible && j <= position;
      scores[row * KEYS + part + k * PARTS] = select(LOWEST, capped(products[k]), seen);
    }
    workgroupBarrier();
    for (var i = lane; i < KEYS * QUADS; i += LANES) {
      let at = key_at(min(first + i / QUADS, last), head) + i % QUADS;
      block[i / QUADS * WIDTH + i % QUADS] = values[at];
    }
    var higher = highest;
    for (var k = 0u; k < KEYS; k++) { higher = max(higher, scores[row * KEYS + k]); }
    let fade = exp(highest - higher);
    highest = higher;
    total *= fade;
    for (var h = 0u; h < HELD; h++) { sum[h] *= fade; }
    workgroupBarrier();
    for (var k = 0u; k < KEYS; k++) {
      let score = scores[row * KEYS + k];
      let weight = select(0.0, exp(score - highest), score > LOWEST);
      total += weight;
      for (var h = 0u; h < HELD; h++) {
        sum[h] += weight * block[k * WIDTH + min(part + h * PARTS, QUADS - 1u)];
      }
    }
    workgroupBarrier();
  }

  if (t0 + row > final_row) { return; }
  for (var h = 0u; h < HELD; h++) {
    if (part + h * PARTS < QUADS) { put(t, head, part + h * PARTS, sum[h] / total); }
  }
  if (part == 0u) { lse[t * shape.heads + head] = highest + log(total); }
}
