// The inner products of the models' changes, δ = x - base, or of their weights where there is no base:
// all that must be known of vectors to combine them by angles and lengths.
//   facts of row m · ⌈models / 4⌉ + f: Σ δₘ·δ₄f, Σ δₘ·δ₄f₊₁, Σ δₘ·δ₄f₊₂, Σ δₘ·δ₄f₊₃
// Beyond the last model they are 0.
const FOURS = (MODELS + 3u) / 4u;

fn product(d: vec4f, base: vec4f, x: array<vec4f, MODELS>, other: u32) -> vec4f {
  if (other >= MODELS) { return vec4f(0.0); }
  return d * (x[min(other, MODELS - 1u)] - base);
}

fn facts(base: vec4f, x: array<vec4f, MODELS>, row: u32) -> mat4x4f {
  let d = x[row / FOURS] - base;
  let first = 4u * (row % FOURS);
  return mat4x4f(
    product(d, base, x, first),
    product(d, base, x, first + 1u),
    product(d, base, x, first + 2u),
    product(d, base, x, first + 3u),
  );
}
