// VaRM by element: shares of each element from the models' changes δ of that element.
//   fₘ = δₘ² or |δₘ|;   share = f / Σf, or softmax(f / temperature);   all δ 0: all shares 0
// Changes are divided by the largest |δ| first: δ² of a small δ would underflow.
//
// constants: statistic (0 square, 1 abs), softmax (0 no, 1 yes), 1 / temperature
fn element_shares(base: vec4f, x: array<vec4f, MODELS>) -> array<vec4f, MODELS> {
  var magnitude: array<vec4f, MODELS>;
  var largest = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    magnitude[m] = abs(x[m] - base);
    largest = max(largest, magnitude[m]);
  }
  let moved = largest > vec4f(0.0);
  let scale = select(vec4f(1.0), largest, moved);
  var share: array<vec4f, MODELS>;
  var total = vec4f(0.0);
  for (var m = 0u; m < MODELS; m++) {
    var f = magnitude[m] / scale;
    if (constants[0] == 0.0) { f *= f; }
    if (constants[1] != 0.0) {
      // exp((f - f_largest) / t) with f in its own unit again: the largest is 1 in scaled units.
      var unit = scale;
      if (constants[0] == 0.0) { unit *= scale; }
      f = exp((f - vec4f(1.0)) * unit * constants[2]);
    }
    share[m] = f;
    total += f;
  }
  for (var m = 0u; m < MODELS; m++) {
    share[m] = select(vec4f(0.0), share[m] / total, moved);
  }
  return share;
}
