// o[t, h] = Σⱼ softmaxⱼ(cap · tanh(scale · q[t, h]·k[j, h'] / cap)) · v[j, h'],  h' = h / (heads / kv_heads)
// over the positions j ≤ p that lie within `window` of p = start + t (0: all) and in its document.
//
// The softmax is taken online: a running maximum m, the sum l of exp(s - m), and the weighted sum,
// rescaled whenever m grows, so no row of scores is ever stored. `lse` = m + ln l is what the
// backward pass needs. Linked constants: QUADS (head_dim / 4, rounded up).
struct Shape {
  rows: u32,
  start: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  window: u32,
  out_stride: u32,
  has_documents: u32,
  scale: f32,
  softcap: f32, // 0: none
}

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<vec4f>;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
// Where the document of row t starts.
@group(0) @binding(3) var<storage, read> documents: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<uniform> shape: Shape;

// Below every score, and far enough from the smallest float that differences stay finite.
const LOWEST = -1e30;

fn first_key(position: u32) -> u32 {
  var first = 0u;
  if (shape.window != 0u && position >= shape.window) { first = position + 1u - shape.window; }
  if (shape.has_documents != 0u) { first = max(first, documents[position - shape.start]); }
  return first;
}

fn key_at(position: u32, head: u32) -> u32 {
  let kv_head = head / (shape.heads / shape.kv_heads);
  return (position * shape.kv_heads + kv_head) * QUADS;
}

fn capped(score: f32) -> f32 {
  let scaled = score * shape.scale;
  if (shape.softcap == 0.0) { return scaled; }
  return shape.softcap * tanh(clamp(scaled / shape.softcap, -15.0, 15.0));
}

fn put(t: u32, head: u32, quad: u32, value: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    let d = 4u * quad + i;
    if (d < shape.head_dim) {
      out[t * shape.out_stride + head * shape.head_dim + d] = value[i];
    }
  }
}
