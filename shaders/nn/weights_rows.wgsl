// A matrix as torch's Linear stores it, [outputs, inputs], with whole quads of inputs in a row.
// block_of(o, quad): column j of the result is w[o + j, 4 quad .. 4 quad + 3].
//
// Linked constants: STORED (dtype).
// needs nn/weights_dtype.wgsl
@group(0) @binding(1) var<storage, read> w: array<vec2u>;

fn quad_at(quad: u32) -> vec4f {
  if (STORED == F32) {
    return vec4f(bitcast<vec2f>(w[2u * quad]), bitcast<vec2f>(w[2u * quad + 1u]));
  }
  let words = w[quad];
  if (STORED == BF16) {
    return vec4f(bf16_pair_to_f32(words.x), bf16_pair_to_f32(words.y));
  }
  return vec4f(f16_pair_to_f32(words.x), f16_pair_to_f32(words.y));
}

fn block_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> mat4x4f {
  let quads = inputs / 4u;
  let last = outputs - 1u;
  return mat4x4f(
    quad_at(min(o, last) * quads + quad),
    quad_at(min(o + 1u, last) * quads + quad),
    quad_at(min(o + 2u, last) * quads + quad),
    quad_at(min(o + 3u, last) * quads + quad),
  );
}
