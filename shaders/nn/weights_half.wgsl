// F16 as torch's Linear stores it, [outputs, inputs], with whole quads of inputs in a row, read by the
// GPU's own f16: exact, subnormals too, and half the workgroup memory in tiles. What it is multiplied
// with and every sum stay f32: x rounded to f16 would be off by 2^-11 of itself.
// quad_of(o, quad): w[o, 4 quad .. 4 quad + 3].
// enables f16
// needs nn/weights_block.wgsl
// What a tile keeps of a quad.
alias Kept = vec4<f16>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f16>>;

fn quad_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> vec4f {
  return vec4f(w[o * (inputs / 4u) + quad]);
}
