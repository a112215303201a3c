//   silu:      x / (1 + e⁻ˣ)
//   gelu:      x / 2 · (1 + erf(x / √2))
//   gelu_tanh: x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
//
// Linked constants: ACTIVATION.
const SILU = 0u;
const GELU = 1u;
const GELU_TANH = 2u;

// Abramowitz and Stegun 7.1.26: off by at most 1.5e-7.
fn erf(x: f32) -> f32 {
  let z = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - poly * exp(-z * z));
}

// tanh of gelu_tanh's argument.
fn gelu_inner(x: f32) -> f32 {
  return tanh(clamp(0.7978845608 * (x + 0.044715 * x * x * x), -15.0, 15.0));
}

fn activate(x: f32) -> f32 {
  // exp(88) is the last that is finite; beyond it the quotient is 0 anyway.
  if (ACTIVATION == SILU) { return x / (1.0 + exp(min(-x, 88.0))); }
  if (ACTIVATION == GELU) { return 0.5 * x * (1.0 + erf(x * 0.70710678)); }
  if (ACTIVATION == GELU_TANH) { return 0.5 * x * (1.0 + gelu_inner(x)); }
  return max(x, 0.0);
}
