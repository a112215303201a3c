// A matrix of any sizes, read value by value: for rows that are not whole quads.
// quad_of(o, quad): w[o, 4 quad .. 4 quad + 3]; 0 past the last input.
//
// Linked constants: STORED (dtype), IN_OUT (stored [inputs, outputs], as GPT-2 does).
// needs nn/weights_block.wgsl
// What a tile keeps of a quad.
alias Kept = vec4f;
@group(0) @binding(1) var<storage, read> w: array<u32>;

fn value_at(i: u32) -> f32 {
  if (STORED == F32) { return bitcast<f32>(w[i]); }
  let half = (w[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
  if (STORED == BF16) { return bitcast<f32>(half << 16u); }
  return unpack2x16float(half).x;
}

fn quad_of(o: u32, quad: u32, inputs: u32, outputs: u32) -> vec4f {
  var values = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let k = 4u * quad + i;
    if (k < inputs) { values[i] = value_at(select(o * inputs + k, k * outputs + o, IN_OUT)); }
  }
  return values;
}
