// out = dy ∘ x̂, whose sums over all rows and heads are the gradient of the norm's weight.
// needs nn/backward/norm_shape.wgsl
fn run(row: u32, head: u32, lane: u32) {
  let x_at = row * shape.x_stride + shape.x_offset + head * shape.x_group;
  let dy_at = row * shape.dy_stride + shape.dy_offset + head * shape.dy_group;
  let to = row * shape.out_stride + shape.out_offset + head * shape.out_group;
  let found = statistics(lane, x_at);
  for (var c = lane; c < shape.width; c += LANES) {
    out[to + c] = dy[dy_at + c] * (x[x_at + c] - found.x) * found.y;
  }
}
