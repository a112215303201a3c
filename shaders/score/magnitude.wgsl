// Magnitude of a model's change: |δ|, δ = x - base            (TIES, arXiv 2306.01708, §4 "Trim")
// needs lib/delta.wgsl
fn score(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> vec4f {
  return abs(delta(base, x[m]));
}
