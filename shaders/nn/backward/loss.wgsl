// Losses of rows of logits z, and their gradient in place of z; one workgroup per row. With
// lse = ln Σ exp z and p = exp(z - lse),
//   clm = lse - z[label],  fusion = Σ_e q_e (lse - z[id_e]),
//   dz = weight · (λ (p - 1[label]) + (1 - λ) Σ_e q_e (p - 1[id_e])).
// A row's tail is one event more, "any other token": with rest = ln Σ exp z over the tokens that are no
// entry, it adds tail · (lse - rest) to the fusion loss and tail · (p - exp(z - rest)[no entry]) to dz.
// The sum over the others keeps its digits where 1 - Σ p_e would lose them.
// Where the head bends its logits, z = cap · tanh(z' / cap), it is times 1 - (z / cap)² for z'.
// needs nn/log_sum.wgsl
struct Shape {
  columns: u32,
  stride: u32,
  // Of the first row among the results.
  first: u32,
  // 0: the losses alone.
  differentiate: u32,
  lambda: f32,
  softcap: f32, // 0: none
}

struct Row {
  label: u32,
  weight: f32,
  // Its entries.
  start: u32,
  end: u32,
  tail: f32,
}

struct Entry {
  id: u32,
  q: f32,
}

@group(0) @binding(0) var<storage, read> rows: array<Row>;
@group(0) @binding(1) var<storage, read> entries: array<Entry>;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;
@group(0) @binding(3) var<storage, read_write> nats: array<vec2f>; // clm, fusion
// The logit of each entry, while its id's place is needed.
@group(0) @binding(4) var<storage, read_write> taken: array<f32>;
@group(0) @binding(5) var<uniform> shape: Shape;

// Stands for a logit that is left out of a sum.
const LEFT_OUT = -3e38;

fn bent(z: f32) -> f32 {
  if (shape.softcap == 0.0) { return z; }
  return shape.softcap * tanh(clamp(z / shape.softcap, -15.0, 15.0));
}

fn slope(z: f32) -> f32 {
  if (shape.softcap == 0.0) { return 1.0; }
  let part = z / shape.softcap;
  return 1.0 - part * part;
}

fn log_sum(lane: u32, start_at: u32) -> f32 {
  var sum = NO_LOGITS;
  for (var v = lane; v < shape.columns; v += LANES) {
    let raw = logits[start_at + v];
    if (raw != LEFT_OUT) { sum = with_logit(sum, bent(raw)); }
  }
  return log_sum_of_lanes(lane, sum);
}

// ln Σ exp z over the tokens that are no entry; LOWEST or less where every token is one.
fn rest_sum(lane: u32, start_at: u32, row: Row) -> f32 {
  workgroupBarrier(); // the lanes have read the last sum
  if (lane == 0u) {
    for (var e = row.start; e < row.end; e++) { taken[e] = logits[start_at + entries[e].id]; }
    for (var e = row.start; e < row.end; e++) { logits[start_at + entries[e].id] = LEFT_OUT; }
  }
  storageBarrier();
  let rest = log_sum(lane, start_at);
  storageBarrier();
  if (lane == 0u) {
    for (var e = row.start; e < row.end; e++) { logits[start_at + entries[e].id] = taken[e]; }
  }
  storageBarrier();
  return rest;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = rows[group.x];
  let start_at = group.x * shape.stride;
  let lse = log_sum(lane, start_at);
  var tail = 0.0;
  var rest = lse;
  if (row.tail > 0.0) {
    let sum = rest_sum(lane, start_at, row);
    if (sum > LOWEST) {
      tail = row.tail;
      rest = sum;
    }
  }
  let label_z = bent(logits[start_at + row.label]);
  var fusion = tail * (lse - rest);
  let others = row.weight * (1.0 - shape.lambda) * tail;
  var mass = shape.lambda + (1.0 - shape.lambda) * tail;
  // Every lane sums them all: they are few, and it must read them before they change.
  for (var e = row.start; e < row.end; e++) {
    let entry = entries[e];
    let raw = logits[start_at + entry.id];
    fusion += entry.q * (lse - bent(raw));
    mass += (1.0 - shape.lambda) * entry.q;
    if (lane == 0u) { taken[e] = raw; }
  }
  if (lane == 0u) { nats[shape.first + group.x] = vec2f(lse - label_z, fusion); }
  if (shape.differentiate == 0u) { return; }
  storageBarrier();
  for (var v = lane; v < shape.columns; v += LANES) {
    let z = bent(logits[start_at + v]);
    var d = row.weight * mass * exp(z - lse);
    if (others > 0.0) { d -= others * exp(z - rest); }
    logits[start_at + v] = d * slope(z);
  }
  storageBarrier();
  if (lane != 0u) { return; }
  if (others > 0.0) { // Entries are none of them.
    for (var e = row.start; e < row.end; e++) {
      let z = bent(taken[e]);
      logits[start_at + entries[e].id] = row.weight * mass * exp(z - lse) * slope(z);
    }
  }
  logits[start_at + row.label] -= row.weight * shape.lambda * slope(label_z);
  for (var e = row.start; e < row.end; e++) {
    let taught = row.weight * (1.0 - shape.lambda) * entries[e].q;
    logits[start_at + entries[e].id] -= taught * slope(bent(taken[e]));
  }
}
