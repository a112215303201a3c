// Agreement of a model's change with the other models' changes, for the weight map's summary.
//   δ = x - base, rest = Σ of the other models' δ;   facts: Σ δ·rest, Σ rest², Σ base², Σ δ²
fn look_at(base: vec4f, x: array<vec4f, MODELS>) {}

fn facts(base: vec4f, x: array<vec4f, MODELS>, m: u32) -> mat4x4f {
  let d = x[m] - base;
  var rest = vec4f(0.0);
  for (var other = 0u; other < MODELS; other++) {
    if (other != m) { rest += x[other] - base; }
  }
  return mat4x4f(d * rest, rest * rest, base * base, d * d);
}
