// One update of AdamW (Loshchilov and Hutter, arXiv 1711.05101, Algorithm 2), in torch's order:
//   θ -= rate · decay · θ;   m = β₁ m + (1 - β₁) g;   v = β₂ v + (1 - β₂) g²
//   θ -= rate / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)          g is first scaled by `clip`
struct Shape {
  count: u32,
  // Invocations in a row of the dispatch.
  row: u32,
  clip: f32,
  beta1: f32,
  beta2: f32,
  // 1 - β, as the host knows it: in f32 it would be off by 5e-5.
  gain1: f32,
  gain2: f32,
  // 1 - rate · decay
  keep: f32,
  // rate / (1 - β₁ᵗ)
  step_size: f32,
  // 1 / √(1 - β₂ᵗ)
  root_correction: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> value: array<f32>;
@group(0) @binding(2) var<storage, read_write> moments: array<vec2f>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * shape.row + id.x;
  if (i >= shape.count) { return; }
  let g = shape.clip * gradient[i];
  let old = moments[i];
  let m = old.x + shape.gain1 * (g - old.x);
  let v = shape.beta2 * old.y + shape.gain2 * g * g;
  moments[i] = vec2f(m, v);
  let denominator = sqrt(v) * shape.root_correction + shape.epsilon;
  value[i] = shape.keep * value[i] - shape.step_size * (m / denominator);
}
