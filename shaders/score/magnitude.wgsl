// Magnitude of a model's change: |δ|, δ = x - base            (TIES, arXiv 2306.01708, §4 "Trim")
// needs lib/delta.wgsl
fn score(quad: u32, m: u32) -> vec4f { return abs(delta(load_base(quad), load_model(m, quad))); }
