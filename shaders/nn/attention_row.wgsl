// Attention, one invocation per row and head, four keys at a time: for adapters that compute on the
// CPU. Private arrays are memory there, so the query is not copied into one and the sum is touched
// once for four keys. The loops end at a number that is not known when compiling: unrolled, they
// spill, and llvmpipe takes five times as long.
// needs nn/attention_shape.wgsl
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let t = id.x / shape.heads;
  let head = id.x % shape.heads;
  if (t >= shape.rows) { return; }
  let position = shape.start + t;
  let query = (t * shape.heads + head) * QUADS;
  let quads = (shape.head_dim + 3u) / 4u;
  var sum: array<vec4f, QUADS>;
  var highest = LOWEST;
  var total = 0.0;
  for (var j = first_key(position); j <= position; j += 4u) {
    let at0 = key_at(j, head);
    let at1 = key_at(min(j + 1u, position), head);
    let at2 = key_at(min(j + 2u, position), head);
    let at3 = key_at(min(j + 3u, position), head);
    var products = vec4f();
    for (var i = 0u; i < quads; i++) {
      let part = q[query + i];
      products += vec4f(
        dot(part, keys[at0 + i]),
        dot(part, keys[at1 + i]),
        dot(part, keys[at2 + i]),
        dot(part, keys[at3 + i]),
      );
    }
    let exists = vec4u(j, j + 1u, j + 2u, j + 3u) <= vec4u(position);
    let scores = select(
      vec4f(LOWEST),
      vec4f(capped(products.x), capped(products.y), capped(products.z), capped(products.w)),
      exists,
    );
    let higher = max(max(highest, max(scores.x, scores.y)), max(scores.z, scores.w));
    let fade = exp(highest - higher);
    let weights = select(vec4f(), exp(scores - higher), exists);
    highest = higher;
    total = total * fade + dot(weights, vec4f(1.0));
    for (var i = 0u; i < quads; i++) {
      sum[i] = sum[i] * fade + mat4x4f(
        values[at0 + i],
        values[at1 + i],
        values[at2 + i],
        values[at3 + i],
      ) * weights;
    }
  }
  for (var i = 0u; i < QUADS; i++) { put(t, head, i, sum[i] / total); }
  lse[t * shape.heads + head] = highest + log(total);
}
