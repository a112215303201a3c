// Attention, one workgroup per row and head: LANES keys at a time, one per lane for the scores; for
// the weighted sum the lanes split into groups over keys, each lane holding some quads of the head.
// needs nn/attention_shape.wgsl
const LANES = 64u;
// Quads that a lane holds, and lanes side by side over them.
const HELD = (QUADS + LANES - 1u) / LANES;
const ACROSS = (QUADS + HELD - 1u) / HELD;
const GROUPS = LANES / ACROSS;

var<workgroup> query: array<vec4f, QUADS>;
var<workgroup> weights: array<f32, LANES>;
var<workgroup> scratch: array<f32, LANES>;
var<workgroup> sums: array<vec4f, LANES>;

fn reduce_max(lane: u32, value: f32) -> f32 {
  scratch[lane] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { scratch[lane] = max(scratch[lane], scratch[lane + half]); }
  }
  workgroupBarrier();
  let highest = scratch[0];
  workgroupBarrier();
  return highest;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let t = group.y;
  let head = group.x;
  let position = shape.start + t;
  for (var i = lane; i < QUADS; i += LANES) { query[i] = q[(t * shape.heads + head) * QUADS + i]; }
  workgroupBarrier();

  let mine = lane % ACROSS;
  let part = lane / ACROSS;
  var sum: array<vec4f, HELD>;
  var highest = LOWEST;
  var total = 0.0; // of this lane's own keys
  for (var block = first_key(position); block <= position; block += LANES) {
    let j = block + lane;
    var score = LOWEST;
    if (j <= position) {
      let at = key_at(j, head);
      var product = 0.0;
      for (var i = 0u; i < QUADS; i++) { product += dot(query[i], keys[at + i]); }
      score = capped(product);
    }
    let higher = max(highest, reduce_max(lane, score));
    let fade = exp(highest - higher);
    highest = higher;
    let weight = select(0.0, exp(score - highest), j <= position);
    total = total * fade + weight;
    weights[lane] = weight;
    workgroupBarrier();
    let count = min(LANES, position + 1u - block);
    for (var h = 0u; h < HELD; h++) { sum[h] *= fade; }
    if (part < GROUPS) {
      for (var i = part; i < count; i += GROUPS) {
        let at = key_at(block + i, head) + mine;
        for (var h = 0u; h < HELD; h++) {
          if (mine + h * ACROSS < QUADS) { sum[h] += weights[i] * values[at + h * ACROSS]; }
        }
      }
    }
    workgroupBarrier();
  }

  scratch[lane] = total;
  workgroupBarrier();
  var whole = 0.0;
  for (var i = 0u; i < LANES; i++) { whole += scratch[i]; }
  for (var h = 0u; h < HELD; h++) {
    sums[lane] = sum[h];
    workgroupBarrier();
    if (part == 0u && mine + h * ACROSS < QUADS) {
      var joined = vec4f(0.0);
      for (var g = 0u; g < GROUPS; g++) { joined += sums[g * ACROSS + mine]; }
      put(t, head, mine + h * ACROSS, joined / whole);
    }
    workgroupBarrier();
  }
  if (lane == 0u) { lse[t * shape.heads + head] = highest + log(whole); }
}
