// dq, one invocation per row and head, four keys at a time. The loops end at a number that is not
// known when compiling: unrolled, they spill on adapters that compute on the CPU.
// needs nn/backward/attention_shape.wgsl
@group(0) @binding(6) var<storage, read_write> d_q: array<vec4f>;
@group(0) @binding(7) var<uniform> shape: Shape;

fn key_at(position: u32, head: u32) -> u32 {
  let kv_head = head / (shape.heads / shape.kv_heads);
  return (position * shape.kv_heads + kv_head) * QUADS;
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let t = id.x / shape.heads;
  let head = id.x % shape.heads;
  if (t >= shape.rows) { return; }
  let quads = (shape.head_dim + 3u) / 4u;
  let row = id.x * QUADS;
  let of_row = sums[id.x];
  var sum: array<vec4f, QUADS>;
  for (var j = first_key(t); j <= t; j += 4u) {
    let at0 = key_at(j, head);
    let at1 = key_at(min(j + 1u, t), head);
    let at2 = key_at(min(j + 2u, t), head);
    let at3 = key_at(min(j + 3u, t), head);
    var products = vec4f();
    var dp = vec4f();
    for (var i = 0u; i < quads; i++) {
      let query = q[row + i];
      let g = d_out[row + i];
      products += query * mat4x4f(keys[at0 + i], keys[at1 + i], keys[at2 + i], keys[at3 + i]);
      dp += g * mat4x4f(values[at0 + i], values[at1 + i], values[at2 + i], values[at3 + i]);
    }
    let exists = vec4u(j, j + 1u, j + 2u, j + 3u) <= vec4u(t);
    let scores = scores_of(products);
    let g = select(vec4f(), exp(scores.s - of_row.x) * (dp - of_row.y) * scores.slope, exists);
    for (var i = 0u; i < quads; i++) {
      sum[i] += mat4x4f(keys[at0 + i], keys[at1 + i], keys[at2 + i], keys[at3 + i]) * g;
    }
  }
  for (var i = 0u; i < QUADS; i++) { d_q[row + i] = sum[i]; }
}
