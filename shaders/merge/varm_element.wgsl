// out = base + Σ shareₘ (xₘ - base), with a share of its own for every element.
// constants: as in lib/element_share.wgsl
// needs lib/element_share.wgsl
fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  let share = element_shares(base, x);
  var change = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) { change += share[m] * (x[m] - base); }
  return base + change;
}
