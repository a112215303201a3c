// Four outputs' quads together: column j of the result is w[o + j, 4 quad .. 4 quad + 3], so that a
// quad of x times it is those outputs' part of the sum. Past the last output it repeats the last.
// needs nn/weights_dtype.wgsl
fn block_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> mat4x4f {
  let last = outputs - 1u;
  return mat4x4f(
    quad_of(min(o, last), quad, inputs, outputs),
    quad_of(min(o + 1u, last), quad, inputs, outputs),
    quad_of(min(o + 2u, last), quad, inputs, outputs),
    quad_of(min(o + 3u, last), quad, inputs, outputs),
  );
}
