// Gram matrix of the models' changes δ = x - base, or of their weights where there is no base: lengths
// and angles of all combinations follow from it.
//   fact k, counted over all rows: Σ δₘ·δₙ with m = k / SHIFTS, n = (m + k % SHIFTS) mod MODELS
// Each pair occurs once, except opposite ones of an even number. Facts beyond the last are 0.
// Linked constant ROUNDS_PRODUCTS: whether products of different changes are rounded to ARITHMETIC, as the
// changes are.
// needs lib/delta.wgsl
const SHIFTS = MODELS / 2u + 1u;

fn product(base: vec4f, x: array<vec4f, MODELS>, k: u32) -> vec4f {
  let m = k / SHIFTS;
  if (m >= MODELS) { return vec4f(0.0); }
  let product = delta(base, x[m]) * delta(base, x[(m + k % SHIFTS) % MODELS]);
  if (ROUNDS_PRODUCTS != 0u && k % SHIFTS != 0u) { return stepped(product); }
  return product;
}

fn look_at(base: vec4f, x: array<vec4f, MODELS>) {}

fn facts(base: vec4f, x: array<vec4f, MODELS>, row: u32) -> mat4x4f {
  let k = 4u * row;
  return mat4x4f(
    product(base, x, k),
    product(base, x, k + 1u),
    product(base, x, k + 2u),
    product(base, x, k + 3u),
  );
}
