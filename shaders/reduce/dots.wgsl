// Lengths and angle of a model's tensor and the base's, as SLERP needs them.
//   facts: Σ base², Σ x², Σ base·x, 0
fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  return mat4x4f(base * base, x[m] * x[m], base * x[m], vec4f(0.0));
}
