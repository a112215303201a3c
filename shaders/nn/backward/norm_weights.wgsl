// out = dy ∘ x̂, whose sums over all rows and heads are the gradient of the norm's weight.
// needs nn/backward/norm_shape.wgsl
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let x_at = group.y * shape.x_stride + shape.x_offset + group.x * shape.x_group;
  let dy_at = group.y * shape.dy_stride + shape.dy_offset + group.x * shape.dy_group;
  let to = group.y * shape.out_stride + shape.out_offset + group.x * shape.out_group;
  let found = statistics(lane, x_at);
  for (var c = lane; c < shape.width; c += LANES) {
    out[to + c] = dy[dy_at + c] * (x[x_at + c] - found.x) * found.y;
  }
}
