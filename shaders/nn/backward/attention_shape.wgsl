// Attention backwards without a matrix of scores (FlashAttention, arXiv 2205.14135, appendix B): with
// s = cap · tanh(scale · q·k / cap), p = exp(s - lse) and dp = dO·v,
//   dv = Σ p dO,  g = p (dp - delta) (1 - (s / cap)²) scale,  dq = Σ g k,  dk = Σ g q.
// Row t sees the positions j ≤ t within `window` of it (0: all) and in its document. Linked constants:
// QUADS (head_dim / 4, rounded up).
struct Shape {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  window: u32,
  scale: f32,
  softcap: f32, // 0: none
}

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<vec4f>;
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
@group(0) @binding(3) var<storage, read> d_out: array<vec4f>;
// Per row and head: lse, delta.
@group(0) @binding(4) var<storage, read> sums: array<vec2f>;
// Where the document of each row starts.
@group(0) @binding(5) var<storage, read> documents: array<u32>;

// The first position that row t sees; it never falls from one row to the next.
fn first_key(t: u32) -> u32 {
  if (shape.window == 0u || t < shape.window) { return documents[t]; }
  return max(documents[t], t + 1u - shape.window);
}

// Scores of four products, and the factor from a score's gradient to its product's.
struct Scores {
  s: vec4f,
  slope: vec4f,
}

fn scores_of(products: vec4f) -> Scores {
  let scaled = products * shape.scale;
  if (shape.softcap == 0.0) { return Scores(scaled, vec4f(shape.scale)); }
  let bent = tanh(clamp(scaled / shape.softcap, vec4f(-15.0), vec4f(15.0)));
  return Scores(shape.softcap * bent, shape.scale * (1.0 - bent * bent));
}
