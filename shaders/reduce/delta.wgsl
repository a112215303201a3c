// Statistics of a model's change δ = x - base, in the tile's unit; one row per model.
//   facts: Σδ, Σδ², Σ|δ|, number of δ ≠ 0        (FuseChat's analysis, arXiv 2402.16107, Eq. 7)
fn look_at(base: vec4f, x: array<vec4f, MODELS>) {}

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let d = tile.unit * (x[m] - base);
  return mat4x4f(d, d * d, abs(d), select(vec4f(0.0), vec4f(1.0), d != vec4f(0.0)));
}
