// For the kernels that follow: dO in whole quads a head, and of every row and head the log-sum beside
// delta = Σ_d dO[d] · O[d].
struct Shape {
  rows: u32,
  heads: u32,
  head_dim: u32,
  stride: u32,
}

@group(0) @binding(0) var<storage, read> out: array<f32>;
@group(0) @binding(1) var<storage, read> d_out: array<f32>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> padded_out: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<vec2f>;
@group(0) @binding(5) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let t = id.x / shape.heads;
  let head = id.x % shape.heads;
  if (t >= shape.rows) { return; }
  let at = t * shape.stride + head * shape.head_dim;
  let to = id.x * 4u * ((shape.head_dim + 3u) / 4u);
  var sum = 0.0;
  for (var d = 0u; d < shape.head_dim; d++) {
    let g = d_out[at + d];
    sum += g * out[at + d];
    padded_out[to + d] = g;
  }
  sums[id.x] = vec2f(lse[id.x], sum);
}
