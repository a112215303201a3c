// A matrix as torch's Linear stores it, [outputs, inputs], with whole quads of inputs in a row.
// quad_of(o, quad): w[o, 4 quad .. 4 quad + 3].
//
// Linked constants: STORED (dtype).
// needs nn/weights_block.wgsl
// What a tile keeps of a quad.
alias Kept = vec4f;
@group(0) @binding(1) var<storage, read> w: array<vec2u>;

fn quad_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> vec4f {
  let at = o * (inputs / 4u) + quad;
  if (STORED == F32) {
    return vec4f(bitcast<vec2f>(w[2u * at]), bitcast<vec2f>(w[2u * at + 1u]));
  }
  let words = w[at];
  if (STORED == BF16) {
    return vec4f(bf16_pair_to_f32(words.x), bf16_pair_to_f32(words.y));
  }
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}
