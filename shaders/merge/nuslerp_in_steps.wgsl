// out = base + (s₀ v₀ + s₁ v₁) / divisor, v the changes from the base or, without one, the models, with every
// tensor, product and sum rounded to ARITHMETIC in mergekit's order.           constants: s₀, s₁, divisor
// needs lib/delta.wgsl
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  let sum = stepped(
    stepped(constant(0u) * delta(base, x[0])) + stepped(constant(1u) * delta(base, x[MODELS - 1u])),
  );
  // Padding columns have constants of 0.
  let change = stepped(sum / max(constant(2u), vec4f(1e-30)));
  return stepped(narrowed(base) + change);
}
