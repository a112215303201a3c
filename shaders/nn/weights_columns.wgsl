// A matrix stored [inputs, outputs] (GPT-2's Conv1D), with whole quads of outputs in a row.
// quad_of(o, quad): w[4 quad .. 4 quad + 3, o]; 0 past the last input.
// block_of(o, quad): column j of the result is w[4 quad .. 4 quad + 3, o + j]; 0 past the last input.
//
// Linked constants: STORED (dtype).
// needs nn/weights_dtype.wgsl
// What a tile keeps of a quad.
alias Kept = vec4f;
@group(0) @binding(1) var<storage, read> w: array<vec2u>;

fn outputs_at(quad: u32) -> vec4f {
  if (STORED == F32) {
    return vec4f(bitcast<vec2f>(w[2u * quad]), bitcast<vec2f>(w[2u * quad + 1u]));
  }
  let words = w[quad];
  if (STORED == BF16) {
    return vec4f(bf16_pair_to_f32(words.x), bf16_pair_to_f32(words.y));
  }
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

fn block_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> mat4x4f {
  let quads = outputs / 4u;
  let column = min(o / 4u, quads - 1u);
  var rows: mat4x4f;
  for (var i = 0u; i < 4u; i++) {
    let k = 4u * quad + i;
    if (k < inputs) { rows[i] = outputs_at(k * quads + column); }
  }
  return transpose(rows);
}

fn quad_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> vec4f {
  return block_of(o - o % 4u, quad, inputs, outputs)[o % 4u];
}
