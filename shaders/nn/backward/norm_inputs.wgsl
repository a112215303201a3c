// dx (+)= r · (g - mean(g) - x̂ · mean(g ∘ x̂)) with g = dy ∘ (w + offset); an rms norm without mean(g).
// needs nn/backward/norm_shape.wgsl
fn run(row: u32, head: u32, lane: u32) {
  let x_at = row * shape.x_stride + shape.x_offset + head * shape.x_group;
  let dy_at = row * shape.dy_stride + shape.dy_offset + head * shape.dy_group;
  let to = row * shape.out_stride + shape.out_offset + head * shape.out_group;
  let found = statistics(lane, x_at);
  var sums = vec2f();
  for (var c = lane; c < shape.width; c += LANES) {
    let g = dy[dy_at + c] * (weight[c] + shape.weight_offset);
    sums += vec2f(g, g * (x[x_at + c] - found.x) * found.y);
  }
  let width = f32(shape.width);
  let along = sum_over_lanes(lane, sums.y) / width;
  var mean = 0.0;
  if (CENTRED) { mean = sum_over_lanes(lane, sums.x) / width; }
  for (var c = lane; c < shape.width; c += LANES) {
    let g = dy[dy_at + c] * (weight[c] + shape.weight_offset);
    let value = found.y * (g - mean - (x[x_at + c] - found.x) * found.y * along);
    if (shape.accumulate != 0u) { out[to + c] += value; } else { out[to + c] = value; }
  }
}
