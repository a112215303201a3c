// dk and dv, one invocation per position and key head: over every query head that reads it, and the
// rows that see it, four at a time.
// needs nn/backward/attention_shape.wgsl
@group(0) @binding(6) var<storage, read_write> d_keys: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> d_values: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x / shape.kv_heads;
  let kv_head = id.x % shape.kv_heads;
  if (j >= shape.rows) { return; }
  let quads = (shape.head_dim + 3u) / 4u;
  let at = id.x * QUADS;
  let group = shape.heads / shape.kv_heads;
  let last = shape.rows - 1u;
  var key_sum: array<vec4f, QUADS>;
  var value_sum: array<vec4f, QUADS>;
  for (var t = j; t <= last && first_key(t) <= j; t += 4u) {
    let rows = min(vec4u(t, t + 1u, t + 2u, t + 3u), vec4u(last));
    let sees = vec4u(first_key(rows.x), first_key(rows.y), first_key(rows.z), first_key(rows.w)) <= vec4u(j);
    let exists = (vec4u(t, t + 1u, t + 2u, t + 3u) <= vec4u(last)) & sees;
    for (var head = kv_head * group; head < (kv_head + 1u) * group; head++) {
      let slots = rows * shape.heads + head;
      let at0 = slots.x * QUADS;
      let at1 = slots.y * QUADS;
      let at2 = slots.z * QUADS;
      let at3 = slots.w * QUADS;
      var products = vec4f();
      var dp = vec4f();
      for (var i = 0u; i < quads; i++) {
        products += keys[at + i] * mat4x4f(q[at0 + i], q[at1 + i], q[at2 + i], q[at3 + i]);
        dp += values[at + i] * mat4x4f(d_out[at0 + i], d_out[at1 + i], d_out[at2 + i], d_out[at3 + i]);
      }
      let scores = scores_of(products);
      let of_rows = transpose(mat4x2f(sums[slots.x], sums[slots.y], sums[slots.z], sums[slots.w]));
      let p = select(vec4f(), exp(scores.s - of_rows[0]), exists);
      let g = p * (dp - of_rows[1]) * scores.slope;
      for (var i = 0u; i < quads; i++) {
        key_sum[i] += mat4x4f(q[at0 + i], q[at1 + i], q[at2 + i], q[at3 + i]) * g;
        value_sum[i] += mat4x4f(d_out[at0 + i], d_out[at1 + i], d_out[at2 + i], d_out[at3 + i]) * p;
      }
    }
  }
  for (var i = 0u; i < QUADS; i++) {
    d_keys[at + i] = key_sum[i];
    d_values[at + i] = value_sum[i];
  }
}
