// Fused rows: fused[r] = Σₘ weight[r, m] · softmax(row[r, m] / T) over the union of the members' ids.
// One invocation per row; rows stay sparse. Entries are sorted by probability, ties by id.
//
// With BUCKET a row's entries keep their true probabilities, and the rest, its tail, is one more
// outcome; without it they are renormalised. Equal ids are added in the order of the members. BF16
// rounds where the references' collator and trainer do.
//
// Linked constants: BF16, BUCKET.
// needs lib/float.wgsl
struct Shape {
  rows: u32,
  // Of each row; those without entries count for nothing.
  members: u32,
  // Entries that a row of the result has room for.
  stride: u32,
  temperature: f32,
}

// Entries [start, start + count) with what the member weighs. No id stands twice among them.
struct Member {
  start: u32,
  // The highest bit: the log-sum-exp of the whole row is known.
  count: u32,
  log_sum: f32,
  weight: f32,
}

@group(0) @binding(0) var<storage, read> members: array<Member>;
// Id, and the logit's bits.
@group(0) @binding(1) var<storage, read> entries: array<vec2u>;
// [rows, stride]: id, and the probability's bits.
@group(0) @binding(2) var<storage, read_write> fused: array<vec2u>;
// How many of them, and the tail's bits.
@group(0) @binding(3) var<storage, read_write> ends: array<vec2u>;
@group(0) @binding(4) var<uniform> shape: Shape;

const KNOWN = 0x80000000u;

fn stored(value: f32) -> f32 {
  if (BF16) { return bitcast<f32>(f32_to_bf16(value) << 16u); }
  return value;
}

// The logit of an entry, cooled or warmed.
fn warm(i: u32) -> f32 {
  return stored(stored(bitcast<f32>(entries[i].y)) / shape.temperature);
}

// What the entries leave of the row, on the scale of exp(z / T - top); 0 where nobody knows.
fn bucket_of(member: Member, top: f32) -> f32 {
  let end = member.start + (member.count & ~KNOWN);
  if (!BUCKET || (member.count & KNOWN) == 0u) { return 0.0; }
  var kept = 0.0;
  for (var i = member.start; i < end; i++) {
    kept += exp(bitcast<f32>(entries[i].y) - member.log_sum);
  }
  if (kept >= 1.0) { return 0.0; }
  return pow(1.0 - kept, 1.0 / shape.temperature)
    * exp(member.log_sum / shape.temperature - top);
}

// Where the id stands among the first `count` entries of the row; `count` where it does not.
fn find(base: u32, count: u32, id: u32) -> u32 {
  for (var i = 0u; i < count; i++) {
    if (fused[base + i].x == id) { return i; }
  }
  return count;
}

fn is_before(a: vec2u, b: vec2u) -> bool {
  let p = bitcast<f32>(a.y);
  let q = bitcast<f32>(b.y);
  return p > q || (p == q && a.x < b.x);
}

// By insertion: the rows of a single member come almost sorted.
fn sort(base: u32, count: u32) {
  for (var i = 1u; i < count; i++) {
    let entry = fused[base + i];
    var at = base + i;
    loop {
      if (at == base) { break; }
      let other = fused[at - 1u];
      if (!is_before(entry, other)) { break; }
      fused[at] = other;
      at--;
    }
    fused[at] = entry;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= shape.rows) { return; }
  let base = row * shape.stride;
  var count = 0u;
  var tail = 0.0;
  for (var m = 0u; m < shape.members; m++) {
    let member = members[row * shape.members + m];
    let end = member.start + (member.count & ~KNOWN);
    if (end == member.start) { continue; }
    var top = warm(member.start);
    for (var i = member.start; i < end; i++) { top = max(top, warm(i)); }
    let bucket = bucket_of(member, top);
    var total = bucket;
    for (var i = member.start; i < end; i++) { total += exp(warm(i) - top); }
    let before = count;
    for (var i = member.start; i < end; i++) {
      let entry = entries[i].x;
      let part = stored(member.weight * stored(exp(warm(i) - top) / total));
      let at = find(base, before, entry);
      if (at < before) {
        let sum = stored(bitcast<f32>(fused[base + at].y) + part);
        fused[base + at].y = bitcast<u32>(sum);
      } else {
        fused[base + count] = vec2u(entry, bitcast<u32>(part));
        count++;
      }
    }
    tail += member.weight * (bucket / total);
  }
  sort(base, count);
  ends[row] = vec2u(count, bitcast<u32>(tail));
}
