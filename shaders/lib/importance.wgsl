// Importance of a change: |δ| times the divergence of the line that it lies on, which follows the model.
// needs lib/delta.wgsl
fn importance_of(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  return stepped(abs(delta(base, x[0])) * x[MODELS - 1u]);
}
