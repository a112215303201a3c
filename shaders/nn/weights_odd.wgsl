// A matrix of any sizes, read value by value: for rows that are not whole quads.
// block_of(o, quad): column j of the result is w[o + j, 4 quad .. 4 quad + 3]; 0 past the last input.
//
// Linked constants: STORED (dtype), IN_OUT (stored [inputs, outputs], as GPT-2 does).
// needs nn/weights_dtype.wgsl
@group(0) @binding(1) var<storage, read> w: array<u32>;

fn value_at(i: u32) -> f32 {
  if (STORED == F32) { return bitcast<f32>(w[i]); }
  let half = (w[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
  if (STORED == BF16) { return bitcast<f32>(half << 16u); }
  return f16_to_f32(half);
}

fn block_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> mat4x4f {
  var block: mat4x4f;
  for (var j = 0u; j < 4u; j++) {
    let row = min(o + j, outputs - 1u);
    for (var i = 0u; i < 4u; i++) {
      let k = 4u * quad + i;
      if (k < inputs) {
        block[j][i] = value_at(select(row * inputs + k, k * outputs + row, IN_OUT));
      }
    }
  }
  return block;
}
