// out = base + Σ shareₘ δₘ, δ = x - base: a change of more than ε that one model made alone counts
// whole, times the model's factor; those that several made count 1 / their number each.
// (RAM, arXiv 2601.13572, §4)
// constants: ε, whether factors are 1 and every step is rounded (0, 1); then a factor for each model
// needs lib/delta.wgsl
fn has_changed(base: vec4f, x: vec4f) -> vec4<bool> {
  return abs(delta(base, x)) > vec4f(constants[0]);
}

fn count_changed(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  var count = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    count += select(vec4f(0.0), vec4f(1.0), has_changed(base, x[m]));
  }
  return count;
}

fn late_step(v: vec4f) -> vec4f {
  if (constants[1] == 0.0) { return v; }
  return stepped(v);
}

fn merge(base: vec4f, x: array<vec4f, MODELS>) -> vec4f {
  let count = count_changed(base, x);
  var change = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    let d = delta(base, x[m]);
    let term = select(stepped(d / max(count, vec4f(1.0))), late_step(constants[m + 2u] * d), count == vec4f(1.0));
    change += select(vec4f(0.0), term, has_changed(base, x[m]));
  }
  return late_step(narrowed(base) + late_step(change));
}
