// What a norm knows of a row. Where it is linked, `x` holds the values and `shape` their width and the
// norm's epsilon, and nn/row_lanes.wgsl or nn/row_alone.wgsl says who takes a row.
// Linked constants: CENTRED (layer norm).

// (mean, r) of the values from `start_at` on: r = 1 / √(mean((x - mean)²) + ε), where an rms norm has
// mean 0.
fn statistics(lane: u32, start_at: u32) -> vec2f {
  let width = f32(shape.width);
  var mean = 0.0;
  if (CENTRED) {
    var sum = 0.0;
    for (var c = lane; c < shape.width; c += LANES) { sum += x[start_at + c]; }
    mean = sum_over_lanes(lane, sum) / width;
  }
  var squares = 0.0;
  for (var c = lane; c < shape.width; c += LANES) {
    let centred = x[start_at + c] - mean;
    squares += centred * centred;
  }
  return vec2f(mean, inverseSqrt(sum_over_lanes(lane, squares) / width + shape.epsilon));
}
