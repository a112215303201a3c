// The k largest logits of a row with their ids, the largest first and ties by the smaller id; its
// log-sum-exp; and the nats of one target. One workgroup per wanted row.
//
// Each lane's largest logit comes first: logits below the k-th largest of those are not among the
// row's k. The few others are collected during the second pass over the row, which computes its sum,
// and ranked. Where many tie, they are selected by radix over integer keys: digit by digit of the
// logit from the highest on, then of the id. Integer keys are exact and the same on every GPU, and
// order infinities and NaN, which float comparisons may miss.
struct Shape {
  columns: u32,
  // Ids below are tokens; the columns from here on are padding of the model's head.
  tokens: u32,
  k: u32,
  stride: u32,
  // Of the first row of this dispatch among `wanted` and the results.
  first: u32,
  // Position of the buffer's first row.
  start: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<u32>;
// Position and target.
@group(0) @binding(1) var<storage, read> wanted: array<vec2u>;
// For each row k ids, k logits, log-sum-exp, nats, flags.
@group(0) @binding(2) var<storage, read_write> results: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

// Candidates that are ranked; at least as many as entries are wanted.
const MOST = 1024u;
const LOWEST = 0xff800000u; // -∞
const NOT_FINITE = 1u;
const PADDING_ON_TOP = 2u;

var<workgroup> counts: array<atomic<u32>, 256>;
var<workgroup> keys: array<u32, MOST>;
var<workgroup> ids: array<u32, MOST>;
var<workgroup> taken: atomic<u32>;
var<workgroup> broken: atomic<u32>;
var<workgroup> highest: atomic<u32>;
var<workgroup> highest_padding: atomic<u32>;
var<workgroup> sums: array<f32, LANES>;
// Each lane's largest key of a token, and what no entry is below.
var<workgroup> tops: array<u32, LANES>;
var<workgroup> bound: u32;
var<workgroup> candidates: u32;

struct Search {
  // The digits found so far, of the logit's key and of the inverted id.
  key: u32,
  id: u32,
  // Bits below the last digit found, of whichever is being searched.
  shift: u32,
  by_id: u32,
  // Entries still wanted among those that have these digits.
  left: u32,
  done: u32,
}
var<workgroup> search: Search;

// Orders like the number; -0 is 0.
fn key_of(bits: u32) -> u32 {
  let plain = select(bits, 0u, bits == 0x80000000u);
  return select(plain | 0x80000000u, ~plain, (plain & 0x80000000u) != 0u);
}

fn bits_of(key: u32) -> u32 {
  return select(~key, key & 0x7fffffffu, (key & 0x80000000u) != 0u);
}

// Finds the highest digit at which enough are counted.
fn narrow() {
  var above = 0u;
  var digit = 255u;
  var here = atomicLoad(&counts[digit]);
  while (digit > 0u && above + here < search.left) {
    above += here;
    digit--;
    here = atomicLoad(&counts[digit]);
  }
  search.left -= above;
  if (search.by_id == 0u) {
    search.key |= digit << search.shift;
  } else {
    search.id |= digit << search.shift;
  }
  search.done = u32(here == search.left);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = shape.first + group.x;
  let begin = (wanted[row].x - shape.start) * shape.stride;
  let out = row * (2u * shape.k + 3u);

  var largest = 0u;
  var largest_padding = 0u;
  var flags = 0u;
  for (var v = lane; v < shape.columns; v += LANES) {
    let bits = logits[begin + v];
    if ((bits & 0x7f800000u) == 0x7f800000u && bits != LOWEST) {
      flags = NOT_FINITE;
    }
    if (v < shape.tokens) {
      largest = max(largest, key_of(bits));
    } else {
      largest_padding = max(largest_padding, key_of(bits));
    }
  }
  atomicOr(&broken, flags);
  atomicMax(&highest, max(largest, largest_padding));
  atomicMax(&highest_padding, largest_padding);
  tops[lane] = largest;
  workgroupBarrier();
  var before = 0u;
  for (var i = 0u; i < LANES; i++) {
    before += u32(tops[i] > largest || (tops[i] == largest && i < lane));
  }
  if (before + 1u == shape.k) {
    bound = largest;
  }
  workgroupBarrier();
  let top_bits = bits_of(atomicLoad(&highest));
  let top = bitcast<f32>(top_bits);
  var sum = 0.0;
  for (var v = lane; v < shape.columns; v += LANES) {
    let bits = logits[begin + v];
    if (bits != LOWEST) {
      sum += exp(bitcast<f32>(bits) - top);
    }
    if (v < shape.tokens && key_of(bits) >= bound) {
      let slot = atomicAdd(&taken, 1u);
      if (slot < MOST) {
        keys[slot] = key_of(bits);
        ids[slot] = v;
      }
    }
  }
  sums[lane] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  if (lane == 0u) {
    let target_bits = logits[begin + wanted[row].y];
    results[out + 2u * shape.k] = bitcast<u32>(top + log(sums[0]));
    results[out + 2u * shape.k + 1u] = bitcast<u32>(log(sums[0]) - (bitcast<f32>(target_bits) - top));
    if (target_bits == LOWEST || top_bits == LOWEST) {
      atomicOr(&broken, NOT_FINITE);
    }
    search = Search(0u, 0u, 24u, 0u, shape.k, 0u);
    candidates = atomicLoad(&taken);
  }
  if (workgroupUniformLoad(&candidates) > MOST) {
    select_by_radix(begin, lane);
  }
  for (var i = lane; i < candidates; i += LANES) {
    var rank = 0u;
    for (var j = 0u; j < candidates; j++) {
      rank += u32(keys[j] > keys[i] || (keys[j] == keys[i] && ids[j] < ids[i]));
    }
    if (rank < shape.k) {
      results[out + rank] = ids[i];
      results[out + shape.k + rank] = bits_of(keys[i]);
    }
    if (rank + 1u == shape.k && atomicLoad(&highest_padding) > keys[i]) {
      atomicOr(&broken, PADDING_ON_TOP);
    }
  }
  workgroupBarrier();
  if (lane == 0u) {
    results[out + 2u * shape.k + 2u] = atomicLoad(&broken);
  }
}

// Leaves the k entries, and no others, among the candidates.
fn select_by_radix(begin: u32, lane: u32) {
  for (var round = 0u; round < 8u; round++) {
    for (var digit = lane; digit < 256u; digit += LANES) {
      atomicStore(&counts[digit], 0u);
    }
    let now = workgroupUniformLoad(&search);
    if (now.done != 0u) {
      break;
    }
    // The digits that are found already.
    let found = select(0xffffff00u << now.shift, 0u, now.shift == 24u);
    for (var v = lane; v < shape.tokens; v += LANES) {
      let key = key_of(logits[begin + v]);
      if (now.by_id == 0u) {
        if ((key & found) == (now.key & found)) {
          atomicAdd(&counts[(key >> now.shift) & 255u], 1u);
        }
      } else if (key == now.key && (~v & found) == (now.id & found)) {
        atomicAdd(&counts[(~v >> now.shift) & 255u], 1u);
      }
    }
    workgroupBarrier();
    if (lane == 0u) {
      narrow();
      if (search.done == 0u) {
        if (search.shift == 0u) {
          search.by_id = 1u;
          search.shift = 24u;
        } else {
          search.shift -= 8u;
        }
      }
    }
    workgroupBarrier();
  }

  if (lane == 0u) {
    atomicStore(&taken, 0u);
  }
  let end = workgroupUniformLoad(&search);
  for (var v = lane; v < shape.tokens; v += LANES) {
    let key = key_of(logits[begin + v]);
    var take = (key >> end.shift) >= (end.key >> end.shift);
    if (end.by_id != 0u) {
      take = key > end.key || (key == end.key && (~v >> end.shift) >= (end.id >> end.shift));
    }
    if (take) {
      let slot = atomicAdd(&taken, 1u);
      if (slot < MOST) {
        keys[slot] = key;
        ids[slot] = v;
      }
    }
  }
  if (lane == 0u) {
    candidates = shape.k;
  }
  workgroupBarrier();
}
