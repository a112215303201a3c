// Attention, one invocation per row and head, key after key: for adapters that compute on the CPU.
// needs nn/attention_shape.wgsl
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let t = id.y;
  let head = id.x;
  if (t >= shape.rows || head >= shape.heads) { return; }
  let position = shape.start + t;
  var query: array<vec4f, QUADS>;
  var sum: array<vec4f, QUADS>;
  for (var i = 0u; i < QUADS; i++) { query[i] = q[(t * shape.heads + head) * QUADS + i]; }
  var highest = LOWEST;
  var total = 0.0;
  for (var j = first_key(position); j <= position; j++) {
    let at = key_at(j, head);
    var product = 0.0;
    for (var i = 0u; i < QUADS; i++) { product += dot(query[i], keys[at + i]); }
    let score = capped(product);
    var weight = 1.0;
    if (score > highest) {
      let fade = exp(highest - score);
      total *= fade;
      for (var i = 0u; i < QUADS; i++) { sum[i] *= fade; }
      highest = score;
    } else {
      weight = exp(score - highest);
    }
    total += weight;
    for (var i = 0u; i < QUADS; i++) { sum[i] += weight * values[at + i]; }
  }
  for (var i = 0u; i < QUADS; i++) { put(t, head, i, sum[i] / total); }
  lse[t * shape.heads + head] = highest + log(total);
}
